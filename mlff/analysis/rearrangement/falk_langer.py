"""D²_min of Falk and Langer: how far the neighbourhood of an atom is from having been deformed as a whole."""

import numpy as np
from numba import njit

from mlff.geometry import neighbor_list

PERIODIC = np.ones(3, bool)
FLAT = 1e-6  # det Y / (tr Y / 3)³ of a neighbourhood that counts as a plane: its thickness is then below a thousandth of its width


def reference_neighbours(
    positions: np.ndarray, cell: np.ndarray, r_max: float, centres: np.ndarray | None = None, pbc: np.ndarray = PERIODIC
) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours in the frame that is the reference, of some atoms.

    Args:
        positions: (n_atoms, 3), Å, wherever they lie. cell: (3, 3) rows, Å.
        r_max: Å; may exceed half the cell, then several images of an atom are neighbours.
        centres: (n,) indices of those whose neighbours are wanted; None: all. pbc: (3,) bool.
    Returns:
        edges: (2, n_edges) int64, centre i and neighbour j, in no order.
        shifts: (n_edges, 3), whole cells: r_ij = r_j + shift @ cell − r_i.
    """
    positions, cell, pbc = np.asarray(positions, float), np.asarray(cell, float), np.asarray(pbc, bool)
    whole = np.zeros(positions.shape)
    if pbc.all():  # the search then works with small numbers
        whole = np.floor(np.linalg.solve(cell.T, positions.T).T)
    (i, j), half = neighbor_list(positions - whole @ cell, cell, pbc, r_max, half=True)  # the full list is sorted, which takes longer
    edges, shifts = np.array([np.concatenate([i, j]), np.concatenate([j, i])]), np.concatenate([half, -half])
    if centres is not None:
        chosen = np.zeros(len(positions), bool)
        chosen[centres] = True
        keep = np.flatnonzero(chosen[edges[0]])
        edges, shifts = edges[:, keep], shifts[keep]
    return edges, shifts + whole[edges[0]] - whole[edges[1]]


def d2_min(
    before: np.ndarray,
    after: np.ndarray,
    cell_before: np.ndarray,
    cell_after: np.ndarray,
    edges: np.ndarray,
    shifts: np.ndarray,
    per_neighbour: bool = False,
) -> np.ndarray:
    """D²_min,i = min_F Σ_{j∈N(i)} |r_ij(t+Δt) − F r_ij(t)|² (Falk and Langer, Phys. Rev. E 57, 7192, 1998, eqs 2.11 to 2.14).

    Whatever the surroundings do together, strain, shear or rotation, gives 0; a drift of all atoms and the changes of the cell do too.

    Args:
        before, after: (n_atoms, 3), Å, unwrapped: what is not to enter is an atom put back into the cell in between.
        cell_before, cell_after: (3, 3) rows, Å, of the two frames.
        edges, shifts: of `reference_neighbours` of `before`, or any list of pairs: (2, n_edges) and (n_edges, 3), in any order.
        per_neighbour: divided by the number of neighbours, as some authors do; otherwise it grows with the cutoff.
    Returns:
        (n_atoms,), Å²; NaN for atoms with fewer than 4 neighbours (3 are matched exactly by some F) or with all of them in a plane
        through the atom.
    """
    before, after = (np.ascontiguousarray(x, dtype=float) for x in (before, after))
    if before.shape != after.shape:
        raise ValueError(f"found {len(before)} atoms before and {len(after)} after, expected the same atoms; give two frames of one run")
    shifts = np.asarray(shifts, float)
    moved = [np.ascontiguousarray(shifts @ np.asarray(cell, float)) for cell in (cell_before, cell_after)]
    return _d2_min(before, after, *moved, np.ascontiguousarray(edges, dtype=np.int64), bool(per_neighbour))


def cumulative_d2_min(
    positions: np.ndarray, cells: np.ndarray, r_max: float, centres: np.ndarray | None = None, per_neighbour: bool = False
) -> np.ndarray:
    """D_cum,i = Σ_k D²_min,i(t_k → t_{k+1}) over successive frames (Chen et al., papers 004), with new neighbours for each.

    Args:
        positions: (n_frames, n_atoms, 3), Å, unwrapped. cells: (n_frames, 3, 3), Å. The others: of the functions above.
    Returns:
        (n_atoms,), Å²; NaN where it was so for one of the increments.
    """
    total = np.zeros(positions.shape[1])
    for k in range(len(positions) - 1):
        edges, shifts = reference_neighbours(positions[k], cells[k], r_max, centres)
        total += d2_min(positions[k], positions[k + 1], cells[k], cells[k + 1], edges, shifts, per_neighbour)
    return total


@njit(cache=True, nogil=True)
def _d2_min(before, after, shift_before, shift_after, edges, per_neighbour):
    n_atoms, n_edges = len(before), edges.shape[1]
    n = np.zeros(n_atoms, np.int64)
    x, y = np.zeros((n_atoms, 3, 3)), np.zeros((n_atoms, 3, 3))  # Σ r' rᵀ and Σ r rᵀ
    old, new = np.zeros(3), np.zeros(3)
    for e in range(n_edges):
        i, j = edges[0, e], edges[1, e]
        n[i] += 1
        for a in range(3):
            old[a] = before[j, a] - before[i, a] + shift_before[e, a]
            new[a] = after[j, a] - after[i, a] + shift_after[e, a]
        for a in range(3):
            for b in range(3):
                x[i, a, b] += new[a] * old[b]
                y[i, a, b] += old[a] * old[b]
    for i in range(n_atoms):  # x becomes F = X Y⁻¹, by the cofactors of the symmetric Y
        q = y[i]
        c00, c01, c02 = q[1, 1] * q[2, 2] - q[1, 2] ** 2, q[0, 2] * q[1, 2] - q[0, 1] * q[2, 2], q[0, 1] * q[1, 2] - q[0, 2] * q[1, 1]
        c11, c12, c22 = q[0, 0] * q[2, 2] - q[0, 2] ** 2, q[0, 1] * q[0, 2] - q[0, 0] * q[1, 2], q[0, 0] * q[1, 1] - q[0, 1] ** 2
        det = q[0, 0] * c00 + q[0, 1] * c01 + q[0, 2] * c02
        if n[i] < 4 or not det > FLAT * ((q[0, 0] + q[1, 1] + q[2, 2]) / 3) ** 3:
            n[i] = 0
            continue
        for a in range(3):
            p0, p1, p2 = x[i, a, 0] / det, x[i, a, 1] / det, x[i, a, 2] / det
            x[i, a, 0] = p0 * c00 + p1 * c01 + p2 * c02
            x[i, a, 1] = p0 * c01 + p1 * c11 + p2 * c12
            x[i, a, 2] = p0 * c02 + p1 * c12 + p2 * c22
    found = np.where(n > 0, 0.0, np.nan)
    for e in range(n_edges):  # the residuals themselves: the difference of their sums would leave rounding where nothing is
        i, j = edges[0, e], edges[1, e]
        if n[i] > 0:
            for a in range(3):
                old[a] = before[j, a] - before[i, a] + shift_before[e, a]
                new[a] = after[j, a] - after[i, a] + shift_after[e, a]
            for a in range(3):
                found[i] += (new[a] - x[i, a, 0] * old[0] - x[i, a, 1] * old[1] - x[i, a, 2] * old[2]) ** 2
    if per_neighbour:
        for i in range(n_atoms):
            if n[i] > 0:
                found[i] /= n[i]
    return found
