"""Which atoms of polyatomic anions are bonded: one longest length for each pair of elements."""

import numpy as np

from mlff.geometry.neighbors import neighbor_list

H, B, SI, P, S, GE, AS, SN, SB, W = 1, 5, 14, 15, 16, 32, 33, 50, 51, 74

# (centre, ligand) → longest bond, Å. 1.3 times the length in crystals, rounded: where the distances of Ge and S are least often found in
# PBE frames of Li10GeP2S12 at 50 to 1,200 K (2.8 to 3.0), so that neither a vibrating bond nor the next S decides.
CENTRE_LIGAND = {
    (P, S): 2.5,  # 2.05 in PS4, 2.13 at the bridge of P2S7; a limit of its own, because the P of glasses is counted by it
    (SI, S): 2.7,  # 2.12 in SiS4
    (GE, S): 2.9,  # 2.21 in GeS4
    (AS, S): 2.8,  # 2.17 in AsS4
    (W, S): 2.8,  # 2.19 in WS4: the sum of covalent radii, 2.67, is that of lower oxidation states, so no rule of radii serves here
    (SN, S): 3.1,  # 2.39 in SnS4
    (SB, S): 3.0,  # 2.34 in SbS4
    (B, H): 1.6,  # 1.22 in BH4, 1.20 in B10H10; the H of a neighbouring B of the cage is at 2.5
}
ALIKE = {
    P: 2.8,  # 2.2 to 2.3 in P2S6; two P that share one S are 3.4 apart
    B: 2.2,  # 1.7 to 1.85 in B10H10; the diagonal of its square is 2.6
    S: 2.4,  # 2.05 in S–S; edges of tetrahedra are 3.2 or more, and 2.7 at 1,000 K
}
CENTRES = sorted({centre for centre, _ in CENTRE_LIGAND})
LIGANDS = sorted({ligand for _, ligand in CENTRE_LIGAND})


def bonded_pairs(numbers: np.ndarray, positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each bond once.

    Args:
        numbers: atomic numbers, (n,); atoms of elements that the tables do not hold have no bonds.
        positions: (n, 3), Å; need not lie inside the cell.
        cell: (3, 3) rows, Å; a row of a non-periodic axis may be zero.
        pbc: (3,) bool.
    Returns:
        pairs: (n_bonds, 2) int64.
        shifts: (n_bonds, 3) int64, whole cells: the bond is r_j + shift @ cell − r_i.
    Raises:
        ValueError: as `neighbor_list`.
    """
    numbers = np.asarray(numbers)
    members = np.flatnonzero(np.isin(numbers, [*CENTRES, *LIGANDS]))
    r_max = max([*CENTRE_LIGAND.values(), *ALIKE.values()])
    positions = np.asarray(positions, dtype=float)
    edges, shifts = neighbor_list(positions[members], cell, pbc, r_max, half=True)
    pairs = members[edges].T
    bonds = positions[pairs[:, 1]] + shifts @ np.asarray(cell, dtype=float) - positions[pairs[:, 0]]
    near = np.linalg.norm(bonds, axis=1) < longest_bond(numbers[pairs[:, 0]], numbers[pairs[:, 1]])
    return pairs[near], shifts[near].astype(np.int64)


def half_bonds(numbers: np.ndarray, positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """From each atom to the middle of each of its bonds, so that a bond through the boundary is seen at both its ends.

    Args:
        As of `bonded_pairs`.
    Returns:
        lines: (n, 2, 3), Å. atoms: (n,), the atom that each begins at.
    """
    pairs, shifts = bonded_pairs(numbers, positions, cell, pbc)
    first, second = np.asarray(positions, float)[pairs.T]
    half = (second + shifts @ np.asarray(cell, float) - first) / 2
    lines = np.concatenate([np.stack([first, first + half], axis=1), np.stack([second, second - half], axis=1)])
    return lines, pairs.T.reshape(-1)


def longest_bond(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Å, of pairs of atomic numbers of equal shape; 0 for a pair that does not bond."""
    table = np.zeros((120, 120))
    for (centre, ligand), limit in CENTRE_LIGAND.items():
        table[centre, ligand] = table[ligand, centre] = limit
    for element, limit in ALIKE.items():
        table[element, element] = limit
    return table[first, second]
