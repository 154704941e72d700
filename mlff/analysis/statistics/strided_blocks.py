"""What accumulators share that count one frame of so many: which frames are due, how runs are joined, and what is stored."""

from typing import Self

import numpy as np

from mlff.analysis.accumulator import check_settings, load_parts, stored_parts
from mlff.analysis.statistics.blocks import Blocks
from mlff.trajectory import Frames


class StridedBlocks:
    """Samples of every stride-th frame, the first of them, in blocks of time; abstract: `update` and `_settings` are the heir's.

    Args:
        shape: of one sample. stride: one of so many frames that come is counted.
    """

    reads = "frames"

    def __init__(self, shape: tuple[int, ...], stride: int):
        self.stride = int(stride)
        self._blocks = Blocks(shape)
        self._seen = np.zeros((), np.int64)

    def merge(self, other: Self) -> None:
        """Takes in any other frames of the same atoms, of any stride: a later part of the run or another run."""
        check_settings(other._settings() | {"stride": np.array(self.stride)}, self._settings())
        self._blocks.merge(other._blocks)

    def state(self) -> dict[str, np.ndarray]:
        return stored_parts({"blocks": self._blocks}) | {"seen": np.array(self._seen)} | self._settings()

    def load(self, state: dict[str, np.ndarray]) -> None:
        check_settings(state, self._settings())
        load_parts(state, {"blocks": self._blocks})
        self._seen = np.array(state["seen"])

    def _due(self, frames: Frames) -> range:
        """Which of the next frames are counted; they are seen with that."""
        due = range(int(-self._seen % self.stride), len(frames), self.stride)
        self._seen = self._seen + len(frames)
        return due

    def _expect_frames(self) -> None:
        if not self._blocks.n:
            raise ValueError("found no frame, expected at least one; update with frames first")

    def _settings(self) -> dict[str, np.ndarray]:
        """`stride` and all else that the samples depend on."""
        raise NotImplementedError
