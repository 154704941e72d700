"""Rattled crystals: normal displacements that bring no two atoms too close and break no anion."""

import numpy as np
from ase import Atoms
from ase.data import covalent_radii

from mlff.geometry import neighbor_list
from mlff.geometry.bonds import bonded_pairs

CLOSEST = 0.7  # of the sum of covalent radii; bonds of hot frames come down to 0.8, Li–Li to 0.65
ROUNDS = 200  # of drawing again, before it is given up


def rattled(atoms: Atoms, displacement: float, closest: float = CLOSEST, *, rng: np.random.Generator) -> Atoms:
    """A copy whose atoms are displaced at random; atoms are drawn again, both of a pair, where they come too close or where
    a bond of an anion breaks or forms, so that the charge is known as before.

    Args:
        displacement: Å, the standard deviation along each axis.
        closest: of the sum of the covalent radii; pairs that start nearer may not come nearer still.
    Raises:
        ValueError: there is no end of this, as the displacement is too large for the structure.
    """
    copy = atoms.copy()
    at_start, bonds = _near(atoms, atoms.positions, closest), _bonds(atoms, atoms.positions)
    moves = rng.normal(scale=displacement, size=(len(atoms), 3))
    for _ in range(ROUNDS):
        moved = atoms.positions + moves
        wrong = {pair for pair, distance in _near(atoms, moved, closest).items() if distance < at_start.get(pair, np.inf)}
        wrong |= {(i, j) for i, j, *_ in bonds ^ _bonds(atoms, moved)}
        if not wrong:
            copy.positions = moved
            copy.info["displacement"] = displacement
            return copy
        again = sorted({atom for pair in wrong for atom in pair})
        moves[again] = rng.normal(scale=displacement, size=(len(again), 3))
    i, j = min(wrong)
    raise ValueError(
        f"atoms {i} ({atoms.symbols[i]}) and {j} ({atoms.symbols[j]}) are still too close, or bonded otherwise than before, after {ROUNDS} "
        f"drawings; ask for a smaller displacement than {displacement:g} Å, or for atoms closer than {closest:g} of the sum of their radii"
    )


def _bonds(atoms: Atoms, positions: np.ndarray) -> set[tuple[int, ...]]:
    """(i, j, whole cells between them), i ≤ j, of each bond of an anion."""
    pairs, shifts = bonded_pairs(atoms.numbers, positions, atoms.cell.array, atoms.pbc)
    turned = pairs[:, 0] > pairs[:, 1]
    shifts = np.where(turned[:, None], -shifts, shifts)
    return set(map(tuple, np.concatenate([np.sort(pairs, axis=1), shifts], axis=1).tolist()))


def _near(atoms: Atoms, positions: np.ndarray, closest: float) -> dict[tuple[int, int], float]:
    """Pairs that are too close → Å, of their nearest images."""
    radii = covalent_radii[atoms.numbers]
    (i, j), shifts = neighbor_list(positions, atoms.cell.array, atoms.pbc, 2 * closest * radii.max(), half=True)
    distances = np.linalg.norm(positions[j] + shifts @ atoms.cell.array - positions[i], axis=1)
    chosen = np.flatnonzero((distances < closest * (radii[i] + radii[j])) & (i != j))
    chosen = chosen[np.argsort(-distances[chosen])]  # the nearest image last, so that it stays
    return {(min(i[k], j[k]), max(i[k], j[k])): float(distances[k]) for k in chosen}
