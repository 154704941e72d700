"""Fractional coordinates of some atoms relative to a framework that may drift and a cell that may change."""

import numpy as np
from numba import njit


def lattice_fractions(positions: np.ndarray, cells: np.ndarray, atoms: np.ndarray, weights: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """f = r h⁻¹ − (f̄ − f̄₀), with f̄ the weighted mean of all atoms in this frame and f̄₀ that of the structure in which sites are told.

    Args:
        positions: (n_frames, n_atoms, 3), Å, unwrapped. cells: (n_frames, 3, 3) rows, Å.
        atoms: (n,) int64, indices of those that are wanted.
        weights: (n_atoms,), summing to 1, of the mean that is taken off; empty where none is.
        origin: (3,), f̄₀.
    Returns:
        (n_frames, n, 3), unwrapped.
    """
    out = np.empty((len(positions), len(atoms), 3))
    heavy = np.flatnonzero(weights)
    positions = np.ascontiguousarray(positions, dtype=float)
    _lattice_fractions(positions, np.ascontiguousarray(cells, dtype=float), atoms, heavy, weights[heavy], origin, out)
    return out


@njit(cache=True, nogil=True)
def _lattice_fractions(positions, cells, atoms, heavy, weights, origin, out):
    inverse, mean, drift = np.empty((3, 3)), np.empty(3), np.zeros(3)
    for t in range(len(positions)):
        _invert(cells[t], inverse)
        if len(heavy):
            mean[:] = 0.0
            for k in range(len(heavy)):
                for c in range(3):
                    mean[c] += weights[k] * positions[t, heavy[k], c]
            for a in range(3):
                drift[a] = mean[0] * inverse[0, a] + mean[1] * inverse[1, a] + mean[2] * inverse[2, a] - origin[a]
        for k in range(len(atoms)):
            x, y, z = positions[t, atoms[k], 0], positions[t, atoms[k], 1], positions[t, atoms[k], 2]
            for a in range(3):
                out[t, k, a] = x * inverse[0, a] + y * inverse[1, a] + z * inverse[2, a] - drift[a]


@njit(cache=True, nogil=True)
def _invert(h, out):
    for a in range(3):
        b, c = (a + 1) % 3, (a + 2) % 3
        for d in range(3):
            e, f = (d + 1) % 3, (d + 2) % 3
            out[d, a] = h[b, e] * h[c, f] - h[b, f] * h[c, e]
    volume = h[0, 0] * out[0, 0] + h[0, 1] * out[1, 0] + h[0, 2] * out[2, 0]
    for a in range(3):
        for d in range(3):
            out[d, a] /= volume
