"""Atoms as bodies that are moved, removed and assigned as wholes: polyatomic anions, and each other ion by itself."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from mlff.geometry import classify

OTHER = "unknown "  # before the formula of a bonded piece that is no anion of a known shape


@dataclass(frozen=True, eq=False)
class Bodies:
    """Atoms in one piece each, not cut by the boundary of the cell.

    numbers: (n,) int. positions: (n, 3), Å, those of one body side by side. of_atom: (n,) int, the body of each atom, 0 to n_bodies − 1.
    kinds: (n_bodies,) str: "PS4", "Li".
    """

    numbers: np.ndarray
    positions: np.ndarray
    of_atom: np.ndarray
    kinds: np.ndarray

    def centres(self) -> np.ndarray:
        """Means of the atoms' positions, (n_bodies, 3), Å."""
        count = np.bincount(self.of_atom)
        return np.stack([np.bincount(self.of_atom, x) / count for x in self.positions.T], axis=1)

    def chosen(self, which: np.ndarray) -> "Bodies":
        """Bodies by their numbers, in this order, repeated where a number is; (m,) int."""
        order = np.argsort(self.of_atom, kind="stable")
        starts = np.searchsorted(self.of_atom[order], np.arange(len(self.kinds) + 1))
        atoms = np.concatenate([order[starts[k] : starts[k + 1]] for k in which])
        of_atom = np.repeat(np.arange(len(which)), np.diff(starts)[which])
        return Bodies(self.numbers[atoms], self.positions[atoms], of_atom, self.kinds[which])


def bodies_of(atoms: Atoms, fragments: bool = False) -> Bodies:
    """Each atom in its body.

    Args:
        fragments: whether a finite bonded piece of another shape, such as a PS3, is a body too, "unknown PS3".
    Raises:
        ValueError: an atom is bonded to what is no anion of a known shape, so that there is no telling where one body ends.
    """
    found = classify(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)
    strange = sorted({piece.kind for piece in (() if fragments else found.others) + found.percolating})
    if strange:
        raise ValueError(
            f"found bonded pieces {strange}, expected anions of known shapes, which are kept whole; start from an intact crystal"
        )
    positions, of_atom = atoms.positions.copy(), np.full(len(atoms), -1)
    pieces = found.anions + found.others
    for k, anion in enumerate(pieces):
        positions[anion.atoms] += anion.shifts @ atoms.cell.array
        of_atom[anion.atoms] = k
    alone = np.flatnonzero(of_atom < 0)
    of_atom[alone] = len(pieces) + np.arange(len(alone))
    kinds = [anion.kind for anion in found.anions] + [OTHER + piece.kind for piece in found.others]
    kinds += [chemical_symbols[z] for z in atoms.numbers[alone]]
    return Bodies(atoms.numbers.copy(), positions, of_atom, np.array(kinds))
