"""Positions inside the cell, and how many cells each is away from there."""

import numpy as np
from ase.geometry import complete_cell


def wrapped(positions: np.ndarray, cells: np.ndarray, pbc: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions with coordinates from 0 to 1 in units of the vectors of the periodic axes.

    Args:
        positions: (n_frames, n_atoms, 3), Å; cells: (n_frames, 3, 3), Å.
    Returns:
        positions: (n_frames, n_atoms, 3), Å; images: (n_frames, n_atoms, 3) int64, so that adding images @ cell gives them back.
    """
    full = np.stack([complete_cell(cell) for cell in cells])
    images = np.where(pbc, np.floor(positions @ np.linalg.inv(full)), 0)
    return positions - images @ full, images.astype(np.int64)
