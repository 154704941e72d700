"""Trajectories on disk: chunked, compressed, append-safe and self-describing."""

from mlff.trajectory.frames import Frames, Series

__all__ = ["Frames", "Series"]
