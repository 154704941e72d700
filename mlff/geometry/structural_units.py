"""Which structural units a glass is made of, and how much of it is none of them."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols

from mlff.geometry.bonds import CENTRES
from mlff.geometry.topology import Anion, Topology


@dataclass(frozen=True)
class StructuralUnits:
    """What a structure of bonded centres and ligands (P and S, say) consists of.

    units: {kind: number} of anions of a known shape, "PS4", "P2S7", "P2S6".
    shares: {kind: fraction} of all centres that lie in units of this kind: the content of a unit as glasses are named by it.
    chains: {formula: number} of three or more tetrahedra, each sharing one corner with the next: "P3S10", "P4S13".
    fragments: {formula: number} of all other bonded pieces: "PS3", rings, branched chains, edges shared, endless networks.
    ligand_bonds: bonds between two ligands (S–S).
    free: {element: number} of centres and ligands without any bond, such as S²⁻.
    unclassified: fraction of centres and ligands in no unit: of chains, fragments, and what is free. Free S are regular in an
        argyrodite, and damage in a glass.
    """

    units: dict[str, int]
    shares: dict[str, float]
    chains: dict[str, int]
    fragments: dict[str, int]
    ligand_bonds: int
    free: dict[str, int]
    unclassified: float

    def __str__(self) -> str:
        """ "12 P2S7, 6 PS4, 1 chain P3S10, 2 PS3 unclassified, 1 bond between ligands"; what there is none of is left out."""
        parts = [f"{count} {kind}" for kind, count in self.units.items()]
        parts += [f"{count} chain{'s' * (count > 1)} {formula}" for formula, count in self.chains.items()]
        parts += [f"{count} {formula} unclassified" for formula, count in self.fragments.items()]
        parts += [f"{count} free {symbol}" for symbol, count in self.free.items()]
        parts += [f"{self.ligand_bonds} bond{'s' * (self.ligand_bonds > 1)} between ligands"] * (self.ligand_bonds > 0)
        return ", ".join(parts)


def structural_units(numbers: np.ndarray, topology: Topology) -> StructuralUnits:
    """Counts what `classify` found; numbers: atomic numbers, (n,)."""
    numbers = np.asarray(numbers)
    is_centre = np.isin(numbers, CENTRES)
    pieces = topology.anions + topology.others + topology.percolating
    chains = [piece for piece in topology.others if _is_chain(is_centre[piece.atoms], piece.bonds)]
    fragments = [piece for piece in topology.others + topology.percolating if not any(piece is chain for chain in chains)]
    centres = Counter()
    for anion in topology.anions:
        centres[anion.kind] += int(is_centre[anion.atoms].sum())
    all_centres = int(is_centre.sum())
    return StructuralUnits(
        units=topology.counts(),
        shares={kind: count / all_centres for kind, count in sorted(centres.items())},
        chains=_counted(chains),
        fragments=_counted(fragments),
        ligand_bonds=sum(int((~is_centre[piece.atoms][piece.bonds]).all(1).sum()) for piece in pieces),
        free=dict(sorted(Counter(chemical_symbols[z] for z in numbers[topology.free]).items())),
        unclassified=topology.unclassified(),
    )


def _is_chain(is_centre: np.ndarray, bonds: np.ndarray) -> bool:
    """Whether it is tetrahedra in a row, each sharing one ligand with the next, and no ring."""
    n_centres = int(is_centre.sum())
    if n_centres < 3 or (is_centre[bonds].sum(1) != 1).any() or len(bonds) != len(is_centre) - 1:
        return False
    degree = np.bincount(bonds.ravel(), minlength=len(is_centre))
    bridging = ~is_centre & (degree == 2)
    bridges = np.bincount(bonds[bridging[bonds].any(1)].ravel(), minlength=len(is_centre))[is_centre]
    return bool((degree[is_centre] == 4).all() and (degree[~is_centre] <= 2).all() and (bridges <= 2).all())


def _counted(pieces: list[Anion]) -> dict[str, int]:
    return dict(sorted(Counter(piece.kind for piece in pieces).items()))
