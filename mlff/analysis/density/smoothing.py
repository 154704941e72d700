"""Gaussian smoothing of counts on the grid of a periodic cell of any shape."""

import numpy as np
from numba import njit

REACH = 4.0  # widths, beyond which the Gaussian is cut off


def gaussian(shape: tuple[int, int, int], cell: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) int64 offsets in bins and their weights (n,), which sum to 1.

    shape: bins along each cell vector. cell: (3, 3) rows, Å. width: standard deviation along any direction, Å.
    """
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    span = [np.arange(-k, k + 1) for k in np.floor(REACH * width / heights * np.array(shape)).astype(int)]
    offsets = np.stack(np.meshgrid(*span, indexing="ij"), axis=-1).reshape(-1, 3)
    distance = np.linalg.norm(offsets / np.array(shape) @ cell, axis=1)
    near = distance <= REACH * width
    weights = np.exp(-0.5 * (distance[near] / width) ** 2)
    return offsets[near], weights / weights.sum()


def smoothed(counts: np.ndarray, cell: np.ndarray, width: float) -> tuple[np.ndarray, float]:
    """The counts smoothed, float64, and over how many bins, 1 / Σ weights², so that their relative noise falls by its root.

    Each count is spread in real space, not by Fourier transforms: nothing becomes negative, and what no count reaches stays 0.
    width: Å; 0 leaves the counts as they are.
    """
    if not width > 0:
        return counts.astype(float), 1.0
    offsets, weights = gaussian(counts.shape, cell, width)
    return _spread(counts, offsets, weights), float(1 / (weights**2).sum())


@njit(cache=True, nogil=True)
def _spread(counts, offsets, weights):
    n_a, n_b, n_c = counts.shape
    out = np.zeros(counts.shape)
    for i in range(n_a):
        for j in range(n_b):
            for k in range(n_c):
                count = float(counts[i, j, k])
                if count > 0:
                    for m in range(len(weights)):
                        place = (i + offsets[m, 0]) % n_a, (j + offsets[m, 1]) % n_b, (k + offsets[m, 2]) % n_c
                        out[place] += weights[m] * count
    return out
