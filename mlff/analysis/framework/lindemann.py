"""The Lindemann index: how far atoms of a solid swing, in units of the distance to their nearest neighbour."""

from collections.abc import Sequence

import numpy as np
from numba import njit

from mlff.analysis.estimate import Estimate
from mlff.geometry import neighbor_list


def nearest_distance(positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray) -> np.ndarray:
    """(n,), Å, from each atom to the nearest other atom or image; positions (n, 3), Å, cell (3, 3) rows, Å."""
    cell, r_max = np.asarray(cell, float), 4.0
    longest = np.linalg.norm(cell, axis=1).max() + 2 * np.ptp(positions, axis=0).max() + r_max  # nothing further away is nearest
    while True:
        (i, j), shifts = neighbor_list(positions, cell, pbc, r_max)
        found = np.full(len(positions), np.inf)
        np.minimum.at(found, i, np.linalg.norm(positions[j] + shifts @ cell - positions[i], axis=1))
        if np.isfinite(found).all() or r_max > longest:
            return found
        r_max *= 2


def square_about(mean: np.ndarray, total: np.ndarray, squares: np.ndarray, n: int) -> np.ndarray:
    """⟨|u − mean|²⟩ of n samples, from Σ u (…, n_atoms, 3) and Σ |u|² (…, n_atoms); mean: (n_atoms, 3)."""
    return np.maximum(squares / n - 2 * (total * mean).sum(-1) / n + (mean**2).sum(-1), 0.0)


def lindemann_index(nearest: float, samples: Sequence[np.ndarray]) -> Estimate:
    """δ = √⟨|u − ⟨u⟩|²⟩ / d (Lindemann, Phys. Z. 11, 609, 1910), the rms displacement about the mean place over d.

    Args:
        nearest: d, Å.
        samples: mean square displacements, Å², of atoms, of stretches of time, of runs; the value is the mean of the first, and the error
            the largest of their standard errors: atoms of one crystal, or moments of one run, may all be off together.
    """
    square = float(samples[0].mean())
    errors = [x.std(ddof=1) / np.sqrt(len(x)) for x in samples if len(x) > 1]
    value = np.sqrt(square) / nearest
    relative = max(errors) / (2 * square) if errors and square > 0 else float(square > 0)
    return Estimate(float(value), float(value * relative))


@njit(cache=True, nogil=True)
def add_moments(u: np.ndarray, total: np.ndarray, squares: np.ndarray) -> None:
    """Adds Σ u to total (n_atoms, 3) and Σ |u|² to squares (n_atoms,), u (n_frames, n_atoms, 3): frame by frame, so that it does not matter
    how many come at once."""
    for t in range(len(u)):
        for i in range(u.shape[1]):
            square = 0.0
            for c in range(3):
                total[i, c] += u[t, i, c]
                square += u[t, i, c] ** 2
            squares[i] += square
