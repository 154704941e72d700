"""Electrostatic energies of point charges in a crystal, by Ewald's sum."""

import numpy as np
from scipy.special import erfc

from mlff.geometry import neighbor_list
from mlff.units import COULOMB

# Both sums end where their terms have fallen by exp(−DEPTH²), 2e-9. SPLIT: the screening in units of the inverse cube root of the volume;
# at 6 the sum over pairs counts about one image of each, which keeps it no larger than the matrix that is returned.
DEPTH = 4.5
SPLIT = 6.0


def interactions(cell: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Potential at each site of a unit charge at each other, its images and a uniform background that makes it neutral.

    Args:
        cell: (3, 3) rows, Å, periodic along all three. positions: (n, 3), Å, none twice.
    Returns:
        (n, n), eV/e², symmetric: the energy of charges q (e) that sum to zero is ½ q·M·q, in eV for each cell. The diagonal holds
        the interaction of a charge with its own images.
    """
    volume = abs(np.linalg.det(cell))
    alpha = SPLIT / volume ** (1 / 3)
    matrix = np.full((len(positions), len(positions)), -np.pi / (alpha**2 * volume))
    (i, j), shifts = neighbor_list(positions, cell, [True] * 3, DEPTH / alpha)
    distances = np.linalg.norm(positions[j] + shifts @ cell - positions[i], axis=1)
    np.add.at(matrix, (i, j), erfc(alpha * distances) / distances)
    waves = _waves(cell, 2 * alpha * DEPTH)
    squares = np.square(waves).sum(1)
    # half of the waves, each counted twice
    amplitudes = np.sqrt(8 * np.pi / volume * np.exp(-squares / (4 * alpha**2)) / squares)
    phases = positions @ waves.T
    for part in (np.cos(phases) * amplitudes, np.sin(phases) * amplitudes):
        matrix += part @ part.T
    matrix[np.diag_indices(len(matrix))] -= 2 * alpha / np.sqrt(np.pi)
    return COULOMB * matrix


def electrostatic_energy(cell: np.ndarray, positions: np.ndarray, charges: np.ndarray) -> float:
    """eV for each cell, of charges in e that sum to zero.

    Raises:
        ValueError: they do not.
    """
    refuse_charged(charges)
    return float(charges @ interactions(cell, positions) @ charges / 2)


def refuse_charged(charges: np.ndarray) -> None:
    """Raises:
    ValueError: charges (e) that do not sum to zero, whose energy depends on a background that no crystal has.
    """
    if abs(total := float(np.sum(charges))) > 1e-6:
        raise ValueError(f"found charges that sum to {total:+g} e, expected a neutral cell; give the charges of its elements")


def _waves(cell: np.ndarray, longest: float) -> np.ndarray:
    """(n, 3), 1/Å: of each pair k, −k of reciprocal lattice vectors shorter than this one, the origin left out."""
    reciprocal = 2 * np.pi * np.linalg.inv(cell).T
    most = np.ceil(longest * np.linalg.norm(cell, axis=1) / (2 * np.pi)).astype(int)
    steps = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in most], indexing="ij"), -1).reshape(-1, 3)
    waves = steps[len(steps) // 2 + 1 :] @ reciprocal  # symmetric about its middle, the origin
    return waves[np.linalg.norm(waves, axis=1) < longest]
