"""An order of atoms in which those near in space are mostly near in the list."""

import numpy as np
from ase.geometry import complete_cell

BITS = 20  # of each coordinate: three make an int64


def along_curve(positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, width: float) -> np.ndarray:
    """Atoms sorted along Morton's curve through bins of about `width`; those of one bin keep their order.

    Args:
        positions: (n, 3), Å; need not lie inside the cell.
        cell: (3, 3) rows, Å; a row of a non-periodic axis may be zero.
        pbc: (3,) bool.
        width: Å.
    Returns:
        (n,) int64, indices of atoms.
    """
    if len(positions) == 0:
        return np.zeros(0, np.int64)
    full = complete_cell(np.asarray(cell, dtype=float))
    fraction = np.linalg.solve(full.T, np.asarray(positions, dtype=float).T)
    fraction -= np.where(np.asarray(pbc, dtype=bool)[:, None], np.floor(fraction), fraction.min(1, keepdims=True))
    lengths = np.linalg.norm(full, axis=1)[:, None]
    bins = np.minimum(fraction * lengths / width, 2**BITS - 1).astype(np.int64)
    code = np.zeros(len(positions), np.int64)
    for bit in range(int(bins.max()).bit_length()):
        for axis in range(3):
            code |= (bins[axis] >> bit & 1) << (3 * bit + axis)
    return np.argsort(code, kind="stable")
