"""Data: files of labelled structures → Frames, splits that do not leak, statistics. No Lightning."""

from mlff.data.frame import Frame
from mlff.data.read import iter_frames, read_frames

__all__ = ["Frame", "iter_frames", "read_frames"]
