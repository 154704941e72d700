"""Counts of many bins over equal blocks of frames, 8 to 15 of them however long the run: integers, so that sums are exact."""

import numpy as np

MOST = 16


class CountBlocks:
    """Blocks that double their length when they become too many.

    Attributes:
        full: (n_bins,) uint32 of each full block. length: frames in each. open: of the block that fills. waiting: frames in it.
        rest: counts of frames that are in no block, after a merge. n: frames in all.
    """

    def __init__(self, n_bins: int):
        self.full: list[np.ndarray] = []
        self.open, self.rest = np.zeros(n_bins, np.uint32), np.zeros(n_bins, np.uint32)
        self.length, self.waiting, self.n = 1, 0, 0

    @property
    def room(self) -> int:
        """Frames that fit in the open block."""
        return self.length - self.waiting

    def counted(self, n_frames: int) -> None:
        """So many frames, at most `room`, were counted into `open`."""
        self.waiting, self.n = self.waiting + n_frames, self.n + n_frames
        if self.waiting == self.length:
            self.full.append(self.open)
            self.open, self.waiting = np.zeros_like(self.open), 0
            if len(self.full) == MOST:
                self._pair()

    def merge(self, other: "CountBlocks") -> None:
        """Takes in frames of another run: its full blocks are joined to these; the rests count in the total alone."""
        twin = CountBlocks(len(other.open))
        twin.load(other.state())
        while twin.length < self.length:
            twin._pair()
        while self.length < twin.length:
            self._pair()
        self.full = self.full + twin.full
        while len(self.full) >= MOST:
            self._pair()
        self.rest, self.n = self.rest + twin.rest + twin.open, self.n + twin.n

    def total(self) -> np.ndarray:
        """Of all frames, (n_bins,) int64."""
        total = self.open.astype(np.int64) + self.rest
        for block in self.full:
            total += block
        return total

    def state(self) -> dict[str, np.ndarray]:
        """Its arrays by name, copied."""
        full = np.array(self.full, np.uint32).reshape(len(self.full), len(self.open))
        clock = np.array([self.length, self.waiting, self.n], np.int64)
        return {"full": full, "open": self.open.copy(), "rest": self.rest.copy(), "clock": clock}

    def load(self, state: dict[str, np.ndarray]) -> None:
        self.full = [block.copy() for block in state["full"]]
        self.open, self.rest = np.array(state["open"]), np.array(state["rest"])
        self.length, self.waiting, self.n = (int(x) for x in state["clock"])

    def _pair(self) -> None:
        """Joins blocks by twos; the one that is left over goes back to the block that fills."""
        if len(self.full) % 2:
            self.open, self.waiting = self.open + self.full.pop(), self.waiting + self.length
        self.full = [one + other for one, other in zip(self.full[::2], self.full[1::2], strict=True)]
        self.length *= 2
