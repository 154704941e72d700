"""Integer counts against time in at most 512 intervals, however long the run becomes."""

import numpy as np

MOST = 512


class CountsInTime:
    """Sums over equal intervals of frames; the interval doubles when there are too many.

    Attributes:
        sums: (n_intervals, width) int64. frames: (n_intervals,) int64, counted in each. length: of an interval, frames. seen: frames.
    """

    def __init__(self, width: int):
        self.sums, self.frames = np.zeros((0, width), np.int64), np.zeros(0, np.int64)
        self.length, self.seen = np.ones((), np.int64), np.zeros((), np.int64)

    def add(self, counts: np.ndarray) -> None:
        """Take in the next frames, (n_frames, width) integers."""
        if not len(counts):
            return
        last = int(self.seen) + len(counts) - 1
        while last // self.length >= MOST:
            self._double()
        place = np.arange(self.seen, last + 1) // self.length
        more = int(place[-1]) + 1 - len(self.sums)
        self._grow(more)
        first = np.flatnonzero(np.diff(place, prepend=-1))
        self.sums[place[first]] += np.add.reduceat(counts, first, axis=0)
        self.frames[place[first]] += np.diff(first, append=len(place))
        self.seen = self.seen + len(counts)

    def merge(self, other: "CountsInTime") -> None:
        """Adds another run, time by time from its own start."""
        twin = CountsInTime(self.sums.shape[1])
        twin.load(other.state())
        while twin.length < self.length:
            twin._double()
        while self.length < twin.length:
            self._double()
        self._grow(len(twin.sums) - len(self.sums))
        self.sums[: len(twin.sums)] += twin.sums
        self.frames[: len(twin.sums)] += twin.frames

    def state(self) -> dict[str, np.ndarray]:
        """Its arrays by name, copied."""
        return {name: np.array(value) for name, value in vars(self).items()}

    def load(self, state: dict[str, np.ndarray]) -> None:
        for name in vars(self):
            setattr(self, name, np.array(state[name]))

    def _grow(self, more: int) -> None:
        if more > 0:
            self.sums = np.concatenate([self.sums, np.zeros((more, self.sums.shape[1]), np.int64)])
            self.frames = np.concatenate([self.frames, np.zeros(more, np.int64)])

    def _double(self) -> None:
        self._grow(len(self.sums) % 2)
        self.sums, self.frames = self.sums.reshape(-1, 2, self.sums.shape[1]).sum(1), self.frames.reshape(-1, 2).sum(1)
        self.length = self.length * 2
