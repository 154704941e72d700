"""How close two atoms may be: in any structure, and when sites are drawn."""

import numpy as np
from ase import Atoms
from ase.data import covalent_radii, vdw_radii

from mlff.geometry import neighbor_list
from mlff.geometry.bonds import longest_bond

# All of the sum of covalent radii.
OVERLAP = 0.6  # hot frames of molecular dynamics come down to 0.65 (Li–Li in PBE frames of Li10GeP2S12 at up to 1,200 K), bonds to 0.8
UNLIKE = 0.75  # sites; a bond of a crystal is not below 0.9 (P–S of a powder refinement)
# Sites of one element nearer than this are alternatives, not neighbours, because ions of one kind are not bonded: Ag 2.6, Na 3.0 Å.
ALIKE = 0.9
# Å, instead of the rule. H: two orientations of one BH4 put H 1.4 Å apart, and one BH4 has them at 2.0 Å. Li: the sites of split pairs
# lie 0.4 to 2.0 Å apart, those of neighbouring pairs of Li6PS5Cl 2.25 Å, and many of these are occupied both.
ALIKE_OF = {1: 1.6, 3: 2.2}
NONMETALS = [1, *range(5, 10), *range(14, 18), *range(32, 36), *range(51, 54)]
CONTACT_OF_NONMETALS = 0.9  # of the sum of van der Waals radii: S–S 3.24 Å; different PS4 come as near as 3.3 in Li7P3S11
CONTACT_WITH_METALS = 0.95  # of the sum of covalent radii: Li–S 2.21 Å, in crystals 2.23 or more
CONTACT_OF_METALS = 0.85  # of the same: Li–Li 2.18 Å
BEYOND_BOND = 1.15  # times the longest bond: what is not bonded is not to be taken for it


def overlap_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Å below which two atoms overlap; of atomic numbers of equal shape."""
    return OVERLAP * (covalent_radii[first] + covalent_radii[second])


def exclusion_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Å below which two sites are not occupied both; of atomic numbers of equal shape."""
    alike = ALIKE * 2 * covalent_radii
    alike[list(ALIKE_OF)] = list(ALIKE_OF.values())
    return np.where(first == second, alike[first], UNLIKE * (covalent_radii[first] + covalent_radii[second]))


def contact_distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Å that two ions keep in a condensed phase where they are not bonded; of atomic numbers of equal shape."""
    covalent = covalent_radii[first] + covalent_radii[second]
    metals = 2 - np.isin(first, NONMETALS).astype(int) - np.isin(second, NONMETALS)
    between_nonmetals = CONTACT_OF_NONMETALS * (vdw_radii[first] + vdw_radii[second])
    contact = np.choose(metals, [between_nonmetals, CONTACT_WITH_METALS * covalent, CONTACT_OF_METALS * covalent])
    return np.maximum(contact, BEYOND_BOND * longest_bond(first, second))


def contact_distances() -> np.ndarray:
    """Of all pairs of elements, (n, n), Å, by atomic numbers."""
    elements = np.arange(min(len(covalent_radii), len(vdw_radii)))
    return contact_distance(*np.meshgrid(elements, elements, indexing="ij"))


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
