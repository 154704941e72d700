"""Products of displacements at log-spaced lags in one pass, over all time origins: a cascade of levels, each of half the frames.

The multi-tau scheme of correlators (Magatti and Ferri, Appl. Opt. 40, 4011, 2001; Ramírez et al., J. Chem. Phys. 133, 154103, 2010)
with frames left out instead of averaged, so that the displacement at each lag is exact. Level k sees each 2^k-th frame and takes the
lags of 2 and 3 of its own steps; level 0 also that of 1. The origins of a lag are thus at most half a lag apart, and the standard
error of a random walk's mean square is at most 6 % above that with an origin in each frame, at a cost of five lags per frame.
"""

import numpy as np

DEPTH = 4  # frames of a level that are paired: half as many lags per octave
AT_ONCE = 2**16  # ions × frames that go through the cascade at once: with their differences about as much as a core's cache holds
PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2))  # components of a symmetric tensor, in the order of the sums


class MultiTau:
    """Sums of Δu_a Δu_b of each ion over all origins, per lag.

    Attributes:
        sums: (n_lags, 6, n_ions), in the order of PAIRS and in the unit of u squared.
        counts: (n_lags,) int64, origins.
    """

    def __init__(self, n_ions: int):
        self.sums = np.zeros((0, 6, n_ions))
        self.counts = np.zeros(0, np.int64)
        self.seen = np.zeros((), np.int64)
        self.first = np.zeros((3, n_ions))
        self.history = np.zeros((0, DEPTH - 1, 3, n_ions))  # the last frames of each level, the latest last

        self._work = np.zeros((2, 0, 3, n_ions))  # kept: fresh pages for each difference would take longer than the arithmetic

    @property
    def lags(self) -> np.ndarray:
        """(n_lags,) int64, frames, ascending."""
        return lags(len(self.counts))

    def update(self, u: np.ndarray) -> None:
        """Take in displacements, (n_frames, 3, n_ions), the next in order."""
        start, level = int(self.seen), 0
        if start == 0 and len(u):
            self.first = u[0].copy()
        self.seen = self.seen + len(u)
        while len(u) and start + len(u) > 1:  # the first frame is one of every level, and alone has no partner
            self._take(level, start, u)
            skip = start % 2
            u, start, level = u[skip::2], (start + skip) // 2, level + 1

    def state(self) -> dict[str, np.ndarray]:
        """Its arrays by name, copied."""
        return {name: getattr(self, name).copy() for name in ("sums", "counts", "seen", "first", "history")}

    def load(self, state: dict[str, np.ndarray]) -> None:
        for name in ("sums", "counts", "seen", "first", "history"):
            setattr(self, name, np.array(state[name]))

    def _take(self, level: int, start: int, u: np.ndarray) -> None:
        n_ions = u.shape[2]
        if level == len(self.history):
            self.history = np.concatenate([self.history, np.zeros((1, DEPTH - 1, 3, n_ions))])
            self.history[level, -1] = self.first
        held = min(start, DEPTH - 1)
        found = range(1 if level == 0 else DEPTH // 2, min(DEPTH, start + len(u)))
        rows = [lag - 1 + level * (DEPTH // 2) for lag in found]
        if rows and (more := rows[-1] + 1 - len(self.counts)) > 0:
            self.sums = np.concatenate([self.sums, np.zeros((more, 6, n_ions))])
            self.counts = np.concatenate([self.counts, np.zeros(more, np.int64)])
        if self._work.shape[1] < held + len(u):
            self._work = np.empty((2, DEPTH - 1 + len(u), 3, n_ions))
        window, scratch = self._work[0, : held + len(u)], self._work[1]
        window[:held], window[held:] = self.history[level, DEPTH - 1 - held :], u
        for lag, row in zip(found, rows, strict=True):
            old = max(0, held - lag)  # the pair that ends with the first new frame begins here
            self.counts[row] += len(window) - lag - old
            later = window[old + lag :]
            d = np.subtract(later, window[old : len(window) - lag], out=scratch[: len(later)])
            _add_products(d, self.sums[row])
        kept = min(DEPTH - 1, len(window))
        self.history[level, DEPTH - 1 - kept :] = window[len(window) - kept :]


def block_length(n_ions: int) -> int:
    """How many frames to update with: a power of two, so that blocks divide the frames of each level alike."""
    return int(2 ** np.clip(np.floor(np.log2(AT_ONCE / max(n_ions, 1))), 4, 10))


def lags(n: int) -> np.ndarray:
    """The first n lags, frames: 1 2 3 4 6 8 12 16 24 …"""
    half = DEPTH // 2
    level = np.maximum(0, (np.arange(n) + 1 - half) // half)
    return (np.arange(n) + 1 - half * level) << level


def _add_products(d: np.ndarray, sums: np.ndarray) -> None:
    """Adds Σ_t d_a d_b, d (n_frames, 3, n), to (6, n) in the order of PAIRS."""
    sums[:3] += np.einsum("tcn,tcn->cn", d, d)
    sums[3:5] += np.einsum("tcn,tcn->cn", d[:, :2], d[:, 1:])
    sums[5] += np.einsum("tn,tn->n", d[:, 0], d[:, 2])
