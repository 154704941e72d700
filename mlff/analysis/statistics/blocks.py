"""Sums over equal blocks of samples, at most 32 however many come, for errors that know of correlations in time."""

import numpy as np

MOST = 32


class Blocks:
    """Adds arrays of one shape, in order.

    Attributes:
        sums: (n_blocks, …) of full blocks. length: samples in each. open: (…), of the block that fills. waiting: samples in it.
        total: (…), of all. n: samples in all.
    """

    def __init__(self, shape: tuple[int, ...]):
        self.sums = np.zeros((0, *shape))
        self.open, self.total = np.zeros(shape), np.zeros(shape)
        self.length, self.waiting, self.n = np.ones((), np.int64), np.zeros((), np.int64), np.zeros((), np.int64)

    def add(self, sample: np.ndarray) -> None:
        self.open = self.open + sample
        self.total = self.total + sample
        self.waiting, self.n = self.waiting + 1, self.n + 1
        if self.waiting == self.length:
            self.sums = np.concatenate([self.sums, self.open[None]])
            self.open, self.waiting = np.zeros_like(self.open), self.waiting * 0
            if len(self.sums) == MOST:
                self._pair()

    def merge(self, other: "Blocks") -> None:
        """Takes in samples of another run, or of another time: its full blocks are joined to these; the rests count in the total alone."""
        twin = Blocks(other.total.shape)
        twin.load(other.state())
        while twin.length < self.length:
            twin._pair()
        while self.length < twin.length:
            self._pair()
        self.sums = np.concatenate([self.sums, twin.sums])
        while len(self.sums) >= MOST:
            self._pair()
        self.total, self.n = self.total + twin.total, self.n + twin.n

    def mean(self) -> np.ndarray:
        """Of all samples."""
        return self.total / self.n

    def error(self) -> np.ndarray:
        """Standard error of the mean from the scatter of the blocks; NaN with fewer than two."""
        if len(self.sums) < 2:
            return np.full(self.total.shape, np.nan)
        return self.sums.std(axis=0, ddof=1) / (self.length * np.sqrt(len(self.sums)))

    def state(self) -> dict[str, np.ndarray]:
        """Its arrays by name, copied."""
        return {name: np.array(value) for name, value in vars(self).items()}

    def load(self, state: dict[str, np.ndarray]) -> None:
        for name in vars(self):
            setattr(self, name, np.array(state[name]))

    def _pair(self) -> None:
        """Joins blocks by twos; the one that is left over goes back to the block that fills, if there is room, else out of the errors."""
        whole = len(self.sums) // 2 * 2
        if whole < len(self.sums):
            self.open, self.waiting = self.open + self.sums[-1], self.waiting + self.length
        self.sums = self.sums[:whole].reshape(-1, 2, *self.sums.shape[1:]).sum(1)
        self.length = self.length * 2
