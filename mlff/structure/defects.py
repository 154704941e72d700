"""Point defects: dopants with what compensates their charge, vacancies, interstitials, and Frenkel pairs of both."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.geometry import classify
from mlff.structure.build import crystal
from mlff.structure.charge import atom_charges, formal_charge
from mlff.structure.doping import doped
from mlff.structure.voids import largest_void


def defects(
    structure: str | Path | Atoms,
    repeat: Sequence[int] | None = None,
    replace: Sequence[tuple[str, str, int]] = (),
    remove: Sequence[tuple[str, int]] = (),
    add: Sequence[tuple[str, int]] = (),
    compensate: str | None = None,
    unbonded: bool = False,
    *,
    rng: np.random.Generator,
) -> Atoms:
    """A crystal with atoms replaced and taken out at random places, and atoms added in its largest voids.

    Voids are those of the crystal before anything is taken out, so that an interstitial is not put back where its vacancy is. Nothing is
    relaxed.

    Args:
        structure, repeat: as `crystal`.
        replace: (from, to, how many). remove: (element, how many vacancies). add: (element, how many interstitials). The same element
            in both: Frenkel pairs.
        compensate: the ion of which vacancies, or interstitials, are added until the charge is that of the crystal, as Na where W
            replaces Sb; None: the defects keep their charge, which `info["charge"]` then says.
        unbonded: whether only atoms that belong to no polyatomic anion are replaced: the S beside the PS4 of an argyrodite.
    Returns:
        `info`: charge (e; None where a dopant makes an anion of unknown charge), charge_of_atoms (e, what the defects add, from the
        charges of their atoms), replaced, removed and added.
    Raises:
        ValueError: nothing to do, fewer atoms than asked for, an element without a formal charge, or a charge that no whole number of
            the compensating ions makes good.
    """
    atoms = crystal(structure, repeat, rng=rng)
    taken, given = Counter(), Counter()
    for counts, asked in ((taken, remove), (given, add)):
        for symbol, count in asked:
            counts[symbol] += count
    if not (replace or taken or given):
        raise ValueError("found no defect to make, expected `replace`, `remove` or `add`; say how many of which element")
    involved = {symbol for old, new, _ in replace for symbol in (old, new)} | set(taken) | set(given) | ({compensate} - {None})
    charges = atom_charges(involved)
    excess = sum((charges[new] - charges[old]) * count for old, new, count in replace)
    excess += sum(charges[symbol] * count for symbol, count in given.items()) - sum(charges[symbol] * n for symbol, n in taken.items())
    if compensate is not None:
        ions = excess / charges[compensate]
        if ions != round(ions):
            raise ValueError(
                f"found a charge of {excess:+g} e, which no whole number of {compensate} ({charges[compensate]:+g} e) makes good; "
                "double the numbers of defects, or compensate by another ion"
            )
        (taken if ions > 0 else given)[compensate] += abs(round(ions))
        excess = 0
    interstitials = _interstitials(atoms, given, rng)
    taken, given = +taken, +given  # without zeros
    info, before = atoms.info, formal_charge(atoms)[0]
    if replace or taken:
        atoms, _ = doped(atoms, replace, taken, rng, _unbonded(atoms) if unbonded else None)
    atoms.extend(interstitials)
    unknown = formal_charge(atoms)[1]
    atoms.info = info | {
        "charge": None if unknown else round(before + excess),
        "charge_of_atoms": excess,
        "replaced": [list(each) for each in replace],
        "removed": dict(taken),
        "added": dict(given),
    }
    return atoms


def _interstitials(atoms: Atoms, add: Mapping[str, int], rng: np.random.Generator) -> Atoms:
    filled, start = atoms.copy(), len(atoms)
    for symbol, count in add.items():
        for _ in range(count):
            filled.extend(Atoms(symbol, [largest_void(filled, rng)]))
    return filled[start:]


def _unbonded(atoms: Atoms) -> np.ndarray:
    """(n,) bool, atoms of no polyatomic anion and no other bonded piece."""
    found = classify(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)
    alone = np.ones(len(atoms), bool)
    for piece in found.anions + found.others + found.percolating:
        alone[piece.atoms] = False
    return alone
