"""Polyatomic anions found by their bonds, and what is bonded otherwise or not at all."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols

from mlff.geometry.bonds import CENTRES, LIGANDS, bonded_pairs


@dataclass(frozen=True, eq=False)
class Anion:
    """One connected piece. `positions[atoms] + shifts @ cell` is the piece in one place, not cut by the boundary.

    kind: the formula, centres before ligands: "PS4", "P2S7", "B10H10".
    atoms: (n,) int64; centres first, then ligands, ascending within each.
    shifts: (n, 3) int64, whole cells; zero for the first atom.
    bonds: (n_bonds, 2) int64, places within `atoms`.
    """

    kind: str
    atoms: np.ndarray
    shifts: np.ndarray
    bonds: np.ndarray


@dataclass(frozen=True, eq=False)
class Topology:
    """The bonded pieces of one structure. Atoms of elements that form no bonds of the table (Li, Ag, I, O, …) are in none of them.

    anions: those of a known shape (see `classify`).
    others: finite pieces of another shape: chains, S–S bonds, centres with too few or too many ligands; `kind` is the formula.
    percolating: pieces bonded to their own image; their shifts follow one tree of bonds and cannot hold for all of them.
    free: (m,) int64, centres and ligands without a bond: the S between the PS4 of Li6PS5Cl, or the S that left a unit of a glass.
    """

    anions: tuple[Anion, ...]
    others: tuple[Anion, ...]
    percolating: tuple[Anion, ...]
    free: np.ndarray

    def counts(self) -> dict[str, int]:
        """Number of anions of each kind, those of other shapes not counted."""
        return dict(sorted(Counter(anion.kind for anion in self.anions).items()))

    def unclassified(self) -> float:
        """Fraction of centres and ligands that belong to no anion of a known shape; 0 where the structure has neither."""
        inside = sum(len(anion.atoms) for anion in self.anions)
        outside = sum(len(piece.atoms) for piece in self.others + self.percolating) + len(self.free)
        return outside / (inside + outside) if outside else 0.0


def find_anions(
    numbers: np.ndarray, positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, kinds: Collection[str] | None = None
) -> list[Anion]:
    """The anions of known shapes, in the order of their first centre; arguments and shapes as `classify` has them.

    kinds: only these, for example ("PS4", "P2S7"); None: all. A structure without anions, AgI say, gives an empty list.
    """
    found = classify(numbers, positions, cell, pbc).anions
    return [anion for anion in found if kinds is None or anion.kind in kinds]


def classify(numbers: np.ndarray, positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray) -> Topology:
    """All bonded pieces, sorted into anions of a known shape and the rest.

    The known shapes: a centre with four ligands, none shared (PS4, SnS4, BH4); two such centres that share exactly one ligand (P2S7);
    two bonded centres with three ligands each (P2S6; two P that share two S have the same formula and are another shape);
    a cage of bonded centres with one ligand each (B10H10).

    Args:
        numbers: atomic numbers, (n,).
        positions: (n, 3), Å; need not lie inside the cell.
        cell: (3, 3) rows, Å; a row of a non-periodic axis may be zero.
        pbc: (3,) bool.
    Raises:
        ValueError: a periodic axis has no cell vector, or a position is not finite.
    """
    numbers = np.asarray(numbers)
    is_centre = np.isin(numbers, CENTRES)
    pairs, shifts = bonded_pairs(numbers, positions, cell, pbc)
    anions, others, percolating = [], [], []
    for atoms, offsets, bonds, closed in _pieces(pairs, shifts, is_centre):
        piece = Anion(_formula(numbers[atoms], is_centre[atoms]), atoms, offsets, bonds)
        if closed:
            percolating.append(piece)
        elif _known_shape(is_centre[atoms], bonds):
            anions.append(piece)
        else:
            others.append(piece)
    free = np.setdiff1d(np.flatnonzero(is_centre | np.isin(numbers, LIGANDS)), pairs)
    return Topology(tuple(anions), tuple(others), tuple(percolating), free)


def _pieces(pairs: np.ndarray, shifts: np.ndarray, is_centre: np.ndarray):
    """(atoms, shifts, bonds, percolating) of each connected piece; a walk along the bonds meets each atom once, so it ends."""
    neighbours: dict[int, list[tuple[int, tuple[int, ...]]]] = {}
    for (i, j), shift in zip(pairs.tolist(), shifts.tolist(), strict=True):
        neighbours.setdefault(i, []).append((j, tuple(shift)))
        neighbours.setdefault(j, []).append((i, tuple(-s for s in shift)))
    met: set[int] = set()
    for start in sorted(neighbours, key=lambda atom: (not is_centre[atom], atom)):
        if start in met:
            continue
        place = {start: (0, 0, 0)}
        queue, percolating = [start], False
        for i in queue:  # grows while it is walked
            for j, shift in neighbours[i]:
                image = tuple(a + b for a, b in zip(place[i], shift, strict=True))
                if j not in place:
                    place[j] = image
                    queue.append(j)
                percolating |= place[j] != image
        met.update(place)
        atoms = sorted(place, key=lambda atom: (not is_centre[atom], atom))
        local = {atom: k for k, atom in enumerate(atoms)}
        bonds = sorted({(local[i], local[j]) for i in atoms for j, _ in neighbours[i] if local[i] < local[j]})
        offsets = np.array([place[atom] for atom in atoms], dtype=np.int64)
        yield np.array(atoms, dtype=np.int64), offsets, np.array(bonds, dtype=np.int64).reshape(-1, 2), percolating


def _known_shape(is_centre: np.ndarray, bonds: np.ndarray) -> bool:
    n_centres, n_ligands = int(is_centre.sum()), int((~is_centre).sum())
    kinds = is_centre[bonds].sum(1)  # 2: two centres, 1: centre and ligand, 0: two ligands
    if (kinds == 0).any():
        return False
    ligands_of = np.bincount(bonds[kinds == 1].min(1), minlength=n_centres)  # centres come first
    centres_of = np.bincount(bonds[kinds == 1].max(1) - n_centres, minlength=n_ligands)
    centre_bonds = int((kinds == 2).sum())
    if n_centres == 1:
        return n_ligands == 4
    if n_centres == 2 and not centre_bonds:
        return (ligands_of == 4).all() and sorted(centres_of) == [1] * 6 + [2]
    if (centres_of != 1).any():
        return False
    if n_centres == 2:
        return (ligands_of == 3).all()
    partners = np.bincount(bonds[kinds == 2].ravel(), minlength=n_centres)
    # a vertex of the closed cages has four or five neighbours; three allow for a stretched bond, and are too many for a chain or a ring
    return (ligands_of == 1).all() and (partners >= 3).all()


def _formula(numbers: np.ndarray, is_centre: np.ndarray) -> str:
    """Centres before ligands, alphabetical within each: "GePS7"."""
    text = ""
    for part in (numbers[is_centre], numbers[~is_centre]):
        for symbol, count in sorted(Counter(chemical_symbols[z] for z in part).items()):
            text += symbol + (str(count) if count > 1 else "")
    return text
