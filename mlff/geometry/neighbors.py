"""All pairs within a cutoff: any cell, any cutoff, any mix of periodic axes."""

import numpy as np
from ase.geometry import complete_cell


def neighbor_list(
    positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, r_max: float, half: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The full list (each pair twice) of neighbours closer than r_max, sorted by centre, near ones first.

    Args:
        positions: (n, 3), Å; need not lie inside the cell.
        cell: (3, 3) rows, Å; a row of a non-periodic axis may be zero.
        pbc: (3,) bool.
        r_max: Å; may exceed the cell.
        half: each pair once instead, near ones first.
    Returns:
        edge_index: (2, n_edges) int64, row 0 the centre i, row 1 the neighbour j.
        edge_shift: (n_edges, 3) int32, whole cells, so that r_ij = r_j + edge_shift @ cell − r_i.
    Raises:
        ValueError: a periodic axis has no cell vector, or a position is not finite.
    """
    cell, pbc = np.asarray(cell, dtype=float), np.asarray(pbc, dtype=bool)
    positions = np.ascontiguousarray(positions, dtype=float)
    if not np.isfinite(positions).all():
        raise ValueError("found a position that is not finite, expected Å; look at the frame, or at the timestep of the run that made it")
    if (pbc & ~cell.any(axis=1)).any():
        raise ValueError(
            f"pbc is {pbc.tolist()}, but the cell has rows of zeros; give a cell vector for each periodic axis, or unset its pbc"
        )
    if len(positions) == 0:
        return np.zeros((2, 0), np.int64), np.zeros((0, 3), np.int32)
    from vesin import NeighborList  # here, because it imports torch where that is installed, and geometry starts without

    finder = NeighborList(cutoff=float(r_max), full_list=not half, sorted=False)
    pairs, shift, distance = finder.compute(points=positions, box=complete_cell(cell), periodic=pbc.tolist(), quantities="PSd")
    # whole steps of the distance: sorting bytes takes no time, and near enough is all that is wanted
    step = (distance * (255 / r_max)).astype(np.uint8)
    order = np.argsort(step, kind="stable") if half else np.lexsort((step, pairs[:, 0]))
    return pairs[order].T.astype(np.int64), shift[order].astype(np.int32)


def inside_cell(positions: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """The image of each position that lies in the cell, (n, 3), Å, of a cell that is periodic along all axes."""
    fraction = np.linalg.solve(cell.T, np.asarray(positions, float).T).T
    return (fraction - np.floor(fraction)) @ cell


def close_pairs(positions: np.ndarray, cell: np.ndarray, r_max: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each pair closer than r_max once, of a cell that is periodic along all axes: i and j, (n_pairs,) int64, and distances (n_pairs,), Å.

    Positions may lie anywhere: the search and the differences work with their images in the cell, whose numbers are small.
    """
    inside = inside_cell(positions, cell)
    (i, j), shift = neighbor_list(inside, cell, np.ones(3, bool), r_max, half=True)
    return i, j, np.linalg.norm(inside[j] - inside[i] + shift @ cell, axis=1)
