"""Cells as LAMMPS and GROMACS want them: right-handed, a along x, b in the xy plane."""

import numpy as np

from mlff.trajectory.frames import Frames


def restricted(frames: Frames, pbc: np.ndarray, what: str) -> tuple[np.ndarray, np.ndarray]:
    """The same frames with such cells.

    Args:
        what: the format, for the refusal.
    Returns:
        cells: (n_frames, 3, 3), lower triangular with a positive diagonal, Å.
        positions: (n_frames, n_atoms, 3), turned with the cells, Å.
    Raises:
        ValueError: a cell has no volume, or is left-handed: no rotation makes it so.
    """
    volumes = np.linalg.det(frames.cells)
    if (volumes <= 0).any():
        k = int(np.argmin(volumes))
        raise ValueError(
            f"the cell of step {frames.steps[k]} has the signed volume {volumes[k]:.4g} Å³ (pbc {pbc.tolist()}), but {what} needs three "
            "right-handed cell vectors; convert to extxyz"
        )
    # cell = L Q, from the QR decomposition of its transpose
    q, r = np.linalg.qr(frames.cells.transpose(0, 2, 1))
    signs = np.sign(np.diagonal(r, axis1=1, axis2=2))
    q = q * signs[:, None, :]
    cells = np.tril((r * signs[:, :, None]).transpose(0, 2, 1))
    cells[np.abs(cells) < 1e-12 * np.abs(frames.cells).max()] = 0  # rounding of the decomposition: a straight box stays one
    return cells, frames.positions @ q
