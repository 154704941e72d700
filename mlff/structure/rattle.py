"""Rattled crystals: normal displacements that bring no two atoms too close."""

import numpy as np
from ase import Atoms
from ase.data import covalent_radii

from mlff.geometry import neighbor_list

CLOSEST = 0.7  # of the sum of covalent radii; bonds of hot frames come down to 0.8, Li–Li to 0.65
ROUNDS = 200  # of drawing again, before it is given up


def rattled(atoms: Atoms, displacement: float, closest: float = CLOSEST, *, rng: np.random.Generator) -> Atoms:
    """A copy whose atoms are displaced at random; atoms that come too close to another are drawn again, both of them.

    Args:
        displacement: Å, the standard deviation along each axis.
        closest: of the sum of the covalent radii; pairs that start nearer may not come nearer still.
    Raises:
        ValueError: atoms stay too close, as the displacement is too large for the structure.
    """
    copy = atoms.copy()
    at_start = _near(atoms, atoms.positions, closest)
    moves = rng.normal(scale=displacement, size=(len(atoms), 3))
    for _ in range(ROUNDS):
        near = _near(atoms, atoms.positions + moves, closest)
        nearer = {pair: distance for pair, distance in near.items() if distance < at_start.get(pair, np.inf)}
        if not nearer:
            copy.positions += moves
            copy.info["displacement"] = displacement
            return copy
        again = sorted({atom for pair in nearer for atom in pair})
        moves[again] = rng.normal(scale=displacement, size=(len(again), 3))
    (i, j), distance = min(nearer.items(), key=lambda item: item[1])
    raise ValueError(
        f"atoms {i} ({atoms.symbols[i]}) and {j} ({atoms.symbols[j]}) still come within {distance:.2f} Å after {ROUNDS} drawings, expected "
        f"{closest:g} of the sum of their radii; ask for a smaller displacement than {displacement:g} Å"
    )


def _near(atoms: Atoms, positions: np.ndarray, closest: float) -> dict[tuple[int, int], float]:
    """Pairs that are too close → Å, of their nearest images."""
    radii = covalent_radii[atoms.numbers]
    (i, j), shifts = neighbor_list(positions, atoms.cell.array, atoms.pbc, 2 * closest * radii.max(), half=True)
    distances = np.linalg.norm(positions[j] + shifts @ atoms.cell.array - positions[i], axis=1)
    chosen = np.flatnonzero((distances < closest * (radii[i] + radii[j])) & (i != j))
    chosen = chosen[np.argsort(-distances[chosen])]  # the nearest image last, so that it stays
    return {(min(i[k], j[k]), max(i[k], j[k])): float(distances[k]) for k in chosen}
