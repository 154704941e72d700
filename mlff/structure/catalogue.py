"""The structures that the package knows by name: prototypes.json and supercells.json."""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import numpy as np
from ase.formula import Formula


@cache
def prototypes() -> Mapping[str, Mapping]:
    """Name → one crystal: formula, formula_units of the cell, conditions, reference, caveat, cell (Å and degrees), density (g/cm³),
    space_group with its origin_choice, and sites (label, multiplicity, position in fractions, occupancy)."""
    return _table("prototypes.json")


@cache
def supercells() -> Mapping[str, Mapping]:
    """Name → a supercell of a publication: prototype, repeat, atoms, used_in; replace and remove where it is doped."""
    return _table("supercells.json")


def composition(crystal: Mapping, repeat: Sequence[int]) -> dict[str, int]:
    """Atoms of each element in this many cells of an entry of `prototypes`."""
    units = crystal["formula_units"] * int(np.prod(repeat))
    return {symbol: count * units for symbol, count in Formula(crystal["formula"]).count().items()}


def provenance(crystal: Mapping) -> dict[str, str]:
    """What is known of an entry of `prototypes`: conditions, reference and caveat."""
    return {key: crystal[key] for key in ("conditions", "reference", "caveat") if key in crystal}


def entry(name: str, table: Mapping[str, Mapping], kind: str) -> Mapping:
    """Raises:
    ValueError: no such name; lists the nearest and all names.
    """
    if name not in table:
        raise ValueError(unknown(name, sorted(table), kind))
    return table[name]


def unknown(name: str, known: list[str], kind: str) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.5) or get_close_matches(name.lower(), [other.lower() for other in known], n=1)
    meant = [other for other in known if near and other.lower() == near[0].lower()]
    return f"found no {kind} {name!r}; {f'did you mean {meant[0]!r}? ' if meant else ''}choose one of {', '.join(known)}"


def _table(file: str) -> Mapping[str, Mapping]:
    return json.loads((Path(__file__).parent / file).read_text(encoding="utf-8"))
