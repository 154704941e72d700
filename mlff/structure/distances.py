"""How close two atoms may be: in any structure, and when sites are drawn."""

import numpy as np
from ase import Atoms
from ase.data import covalent_radii

from mlff.geometry import neighbor_list

# All of the sum of covalent radii.
OVERLAP = 0.6  # hot frames of molecular dynamics come down to 0.65 (Li–Li in PBE frames of Li10GeP2S12 at up to 1,200 K), bonds to 0.8
UNLIKE = 0.75  # sites; a bond of a crystal is not below 0.9 (P–S of a powder refinement)
# Sites of one element nearer than this are alternatives, not neighbours, because ions of one kind are not bonded: Ag 2.6, Na 3.0 Å.
ALIKE = 0.9
# Å, instead of the rule. H: two orientations of one BH4 put H 1.4 Å apart, and one BH4 has them at 2.0 Å. Li: the sites of split pairs
# lie 0.4 to 2.0 Å apart, those of neighbouring pairs of Li6PS5Cl 2.25 Å, and many of these are occupied both.
ALIKE_OF = {1: 1.6, 3: 2.2}


def overlap_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Å below which two atoms overlap; of atomic numbers of equal shape."""
    return OVERLAP * (covalent_radii[first] + covalent_radii[second])


def exclusion_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Å below which two sites are not occupied both; of atomic numbers of equal shape."""
    alike = ALIKE * 2 * covalent_radii
    alike[list(ALIKE_OF)] = list(ALIKE_OF.values())
    return np.where(first == second, alike[first], UNLIKE * (covalent_radii[first] + covalent_radii[second]))


def check_distances(atoms: Atoms, name: str) -> None:
    """Refuses overlapping atoms.

    Raises:
        ValueError: names the nearest such pair, its distance and what is allowed.
    """
    r_max = 2 * OVERLAP * covalent_radii[atoms.numbers].max()
    (i, j), shifts = neighbor_list(atoms.positions, atoms.cell.array, atoms.pbc, r_max, half=True)
    distances = np.linalg.norm(atoms.positions[j] + shifts @ atoms.cell.array - atoms.positions[i], axis=1)
    lack = overlap_distance(atoms.numbers[i], atoms.numbers[j]) - distances
    if len(lack) and lack.max() > 0:
        k = int(np.argmax(lack))
        allowed = distances[k] + lack[k]
        raise ValueError(
            f"{name}: atoms {i[k]} ({atoms.symbols[i[k]]}) and {j[k]} ({atoms.symbols[j[k]]}) lie {distances[k]:.2f} Å apart, "
            f"expected at least {allowed:.2f} Å; remove one of them, or give sites that exclude each other as partly occupied"
        )
