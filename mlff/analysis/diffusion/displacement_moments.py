"""⟨r²⟩ and ⟨r⁴⟩ of displacements at log-spaced lags in one pass: the cascade of `multi_tau`, with lengths instead of tensors."""

import numpy as np
from numba import njit

from mlff.analysis.statistics.multi_tau import DEPTH, lags


class DisplacementMoments:
    """Sums of |Δr|² and |Δr|⁴ of each ion over all origins, per lag.

    Attributes:
        sums: (n_lags, 2, n_ions), Å² and Å⁴. counts: (n_lags,) int64, origins.
    """

    def __init__(self, n_ions: int):
        self.sums = np.zeros((0, 2, n_ions))
        self.counts = np.zeros(0, np.int64)
        self.seen = np.zeros((), np.int64)
        self.first = np.zeros((n_ions, 3))
        self.history = np.zeros((0, DEPTH - 1, n_ions, 3))  # the last frames of each level, the latest last

    @property
    def lags(self) -> np.ndarray:
        """(n_lags,) int64, frames, ascending."""
        return lags(len(self.counts))

    def update(self, u: np.ndarray, turn: np.ndarray) -> None:
        """Take in displacements, (n_frames, n_ions, 3), Å, the next in order; lengths are those of Δu @ turn, (3, 3)."""
        start, level = int(self.seen), 0
        if start == 0 and len(u):
            self.first = u[0].copy()
        self.seen = self.seen + len(u)
        while len(u) and start + len(u) > 1:  # the first frame is one of every level, and alone has no partner
            self._take(level, start, u, turn)
            skip = start % 2
            u, start, level = u[skip::2], (start + skip) // 2, level + 1

    def state(self) -> dict[str, np.ndarray]:
        """Its arrays by name, copied."""
        return {name: np.array(value) for name, value in vars(self).items()}

    def load(self, state: dict[str, np.ndarray]) -> None:
        for name in vars(self):
            setattr(self, name, np.array(state[name]))

    def _take(self, level: int, start: int, u: np.ndarray, turn: np.ndarray) -> None:
        n_ions = u.shape[1]
        if level == len(self.history):
            self.history = np.concatenate([self.history, np.zeros((1, DEPTH - 1, n_ions, 3))])
            self.history[level, -1] = self.first
        held = min(start, DEPTH - 1)
        window = np.concatenate([self.history[level, DEPTH - 1 - held :], u])
        for lag in range(1 if level == 0 else DEPTH // 2, min(DEPTH, start + len(u))):
            row = lag - 1 + level * (DEPTH // 2)
            if row == len(self.counts):
                self.sums = np.concatenate([self.sums, np.zeros((1, 2, n_ions))])
                self.counts = np.append(self.counts, 0)
            old = max(0, held - lag)  # the pair that ends with the first new frame begins here
            self.counts[row] += len(window) - lag - old
            _add_moments(window[old:], lag, turn, self.sums[row])
        kept = min(DEPTH - 1, len(window))
        self.history[level, DEPTH - 1 - kept :] = window[len(window) - kept :]


@njit(cache=True, nogil=True)
def _add_moments(u, lag, turn, sums):
    for t in range(len(u) - lag):
        for i in range(u.shape[1]):
            x, y, z = u[t + lag, i, 0] - u[t, i, 0], u[t + lag, i, 1] - u[t, i, 1], u[t + lag, i, 2] - u[t, i, 2]
            square = 0.0
            for c in range(3):
                square += (x * turn[0, c] + y * turn[1, c] + z * turn[2, c]) ** 2
            sums[0, i] += square
            sums[1, i] += square * square
