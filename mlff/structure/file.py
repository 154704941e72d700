"""A structure from a file; partly occupied sites of a CIF are drawn to a neutral composition."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.geometry import classify
from mlff.structure.charge import OF_ION, formal_charge
from mlff.structure.distances import check_distances
from mlff.structure.occupation import occupied
from mlff.structure.sites import Sites, sites_of_file

CORRECTION = 0.05  # of the mobile ion's content: refined occupancies have errors of some per cent, and its content follows from neutrality


def from_file(path: str | Path, repeat: Sequence[int], rng: np.random.Generator) -> Atoms:
    """The last structure of any file that ASE reads, repeated; see `mlff.structure.structure`.

    Raises:
        ValueError: overlapping atoms, or partly occupied sites that are not neutral within 5 % of the mobile ion.
    """
    from ase.io import read

    atoms = read(path)
    kept = {key: value for key, value in atoms.info.items() if key not in ("occupancy", "spacegroup", "unit_cell")}
    sites = sites_of_file(atoms)
    atoms = atoms.repeat(repeat) if sites is None else _neutral(sites.repeated(repeat), rng, str(path))
    check_distances(atoms, str(path))
    charge, unknown = formal_charge(atoms)
    drawn = {} if sites is None else atoms.info
    atoms.info = {**kept, "file": str(path), "repeat": list(repeat), "charge": None if unknown else charge, **drawn}
    atoms.arrays.pop("spacegroup_kinds", None)
    return atoms


def _neutral(sites: Sites, rng: np.random.Generator, name: str) -> Atoms:
    atoms = occupied(sites, neutral_composition(sites, rng, name), rng)
    refuse_torn_anions(atoms, sites, name)
    return atoms


def neutral_composition(sites: Sites, rng: np.random.Generator, name: str) -> dict[str, int]:
    """Of the sites of a file: the whole numbers nearest to the occupancies, but the ion of charge ±1 that leaves sites empty to neutrality.

    Raises:
        ValueError: no such composition is neutral.
    """
    expected: dict[str, float] = {}
    for k, occupancy in enumerate(sites.occupancies):
        for symbol, fraction in occupancy.items():
            expected[symbol] = expected.get(symbol, 0.0) + fraction * (sites.orbit == k).sum()
    composition = {symbol: round(count) for symbol, count in expected.items()}
    atoms = occupied(sites, composition, rng)
    charge, unknown = formal_charge(atoms)
    if unknown or not charge:
        return composition  # of what has no formal charge the occupancies are all that is known
    mobile = {
        symbol
        for occupancy in sites.occupancies
        for symbol in occupancy
        if sum(occupancy.values()) < 1 - 1e-3 and abs(OF_ION.get(symbol, 0)) == 1
    }
    ion = max(mobile, key=expected.__getitem__, default=None)
    corrected = composition[ion] - charge * OF_ION[ion] if ion else 0
    if ion is None or abs(corrected - expected[ion]) > max(1, CORRECTION * expected[ion]):
        raise ValueError(
            f"{name}: the occupancies give {composition} with a formal charge of {charge:+d} e, expected a neutral cell to within "
            f"{CORRECTION:.0%} of an ion of charge one on partly occupied sites; correct the occupancies in the file"
        )
    return composition | {ion: corrected}


def refuse_torn_anions(atoms: Atoms, sites: Sites, name: str) -> None:
    """A P–P pair that is refined as four half-occupied P needs a drawing of pairs, which distances that exclude each other do not give.

    Raises:
        ValueError: drawn atoms belong to pieces that are no anions.
    """
    found = classify(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)
    sometimes_empty = {symbol for occupancy in sites.occupancies if sum(occupancy.values()) < 1 - 1e-3 for symbol in occupancy}
    for piece in found.others + found.percolating:
        torn = sorted(sometimes_empty & set(atoms.symbols[piece.atoms]))
        if torn:
            raise ValueError(
                f"{name}: drawing the partly occupied sites of {torn} left a piece {piece.kind}, expected whole anions; "
                "give an ordered structure, in which each anion has one position"
            )
