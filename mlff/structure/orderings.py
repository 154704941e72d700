"""Partly occupied sites as an ensemble of ordered configurations, those of lowest electrostatic energy first."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers

from mlff.structure import catalogue
from mlff.structure.charge import atom_charges, formal_charge
from mlff.structure.enumeration import enumerated
from mlff.structure.ewald import interactions, refuse_charged
from mlff.structure.file import neutral_composition, refuse_torn_anions
from mlff.structure.occupation import Allotment, allotted, drawn_occupants, placed
from mlff.structure.sites import Sites, sites_of_entry, sites_of_file

STEPS = 100  # of the search, for each arrangement that it may find
SAME = 1e-7  # of the largest, between marks of arrangements that symmetry makes equal


def orderings(
    structure: str | Path,
    repeat: Sequence[int] = (1, 1, 1),
    n_structures: int = 10,
    limit: int = 1000,
    charges: Mapping[str, float] | None = None,
    *,
    rng: np.random.Generator,
) -> list[Atoms]:
    """Ordered configurations of a crystal with partly occupied sites, inequivalent ones, of lowest electrostatic energy first.

    All arrangements without conflicts are compared where there are `limit` at most; else `limit` drawn ones, of which the lowest is
    not the lowest there is. Each orbit holds the whole number of atoms nearest to its occupancy; orbits of one occupancy that is far from
    a whole number of atoms share theirs, as the sites of a file without symmetry. Point charges know neither polarisation nor size:
    relax several.

    Args:
        structure: a prototype, or a file; repeat: cells along each lattice vector.
        n_structures: how many are returned, fewer where there are fewer.
        limit: of arrangements that are compared.
        charges: e, of elements, instead of their formal ones, as {"P": 4} for P2S6.
    Returns:
        `info`: electrostatic_energy (eV per cell), rank, equivalents (how many of the compared arrangements are the same but for symmetry,
        told by potentials at their atoms), compared, and enumerated: whether these are all.
    Raises:
        ValueError: the structure is unknown, has no partly occupied sites, cannot be made neutral, or no arrangement was found.
    """
    sites, composition, info = _sites(structure, repeat, rng)
    sites = sites.pooled()
    allotment = allotted(sites, composition)
    if allotment is None:
        raise ValueError(f"{structure}: found no partly occupied site, expected some to order; use builder=crystal")
    found, complete = _arrangements(allotment, limit, rng)
    compared = [placed(sites, allotment, occupants) for occupants in found]
    marks = _marks(sites, allotment, found, compared[0], charges)
    first, equivalents = _groups(marks)
    energies = marks[:, 0]
    lowest = sorted(range(len(first)), key=lambda group: (energies[first[group]], first[group]))[:n_structures]
    chosen = []
    for rank, group in enumerate(lowest):
        atoms = compared[first[group]]
        refuse_torn_anions(atoms, sites, str(structure))
        charge, unknown = formal_charge(atoms)
        atoms.info |= info | {
            "charge": None if unknown else charge,
            "electrostatic_energy": float(energies[first[group]]),
            "rank": rank,
            "equivalents": int(equivalents[group]),
            "compared": len(found),
            "enumerated": complete,
        }
        chosen.append(atoms)
    return chosen


def _sites(structure: str | Path, repeat: Sequence[int], rng: np.random.Generator) -> tuple[Sites, dict[str, int], dict]:
    name = str(structure)
    if name in catalogue.prototypes():
        crystal = catalogue.prototypes()[name]
        known = {"prototype": name, "repeat": list(repeat), **catalogue.provenance(crystal)}
        return sites_of_entry(crystal).repeated(repeat), catalogue.composition(crystal, repeat), known
    if not Path(name).is_file():
        raise ValueError(f"{catalogue.unknown(name, sorted(catalogue.prototypes()), 'file or prototype')}, or give a path")
    from ase.io import read

    sites = sites_of_file(read(name))
    if sites is None:
        raise ValueError(f"{name}: found no partly occupied site, expected some to order; use builder=crystal")
    sites = sites.repeated(repeat)
    return sites, neutral_composition(sites, rng, name), {"file": name, "repeat": list(repeat)}


def _arrangements(allotment: Allotment, limit: int, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    """(n, m) int, different arrangements of occupants, and whether they are all there are."""
    found = []
    for occupants in enumerated(allotment, STEPS * limit):
        if occupants is None or len(found) == limit:
            break
        found.append(occupants)
    else:
        if found:
            return np.array(found), True
    drawn = np.unique([drawn_occupants(allotment, rng) for _ in range(limit)], axis=0)
    return drawn, False


def _marks(sites: Sites, allotment: Allotment, found: np.ndarray, example: Atoms, charges: Mapping[str, float] | None) -> np.ndarray:
    """(n, 5): the energy of the formal charges, eV, and numbers that no symmetry changes, to tell arrangements apart.

    These are Σ q cos v and Σ q sin v of arbitrary charges and of the potentials v at them, which depend on atoms four at a time and more:
    pairs alone, as in the energy, are equal in the two half exchanged configurations of Li6PS5X, and so are threes.
    """
    formal = np.zeros(120)
    for symbol, charge in atom_charges(example.symbols, charges).items():
        formal[atomic_numbers[symbol]] = charge
    refuse_charged(formal[example.numbers])
    matrix = interactions(sites.cell, sites.fractions @ sites.cell)
    numbers = np.tile(sites.first_numbers(), (len(found), 1))
    numbers[:, allotment.drawn] = allotment.elements[found]
    columns = [((q := formal[numbers]) @ matrix * q).sum(1) / 2]
    for frequency in (1.0, np.sqrt(3)):
        q = np.where(numbers > 0, np.cos(numbers * frequency), 0)
        potential = q @ matrix
        columns += [(q * np.cos(potential)).sum(1), (q * np.sin(potential)).sum(1)]
    return np.stack(columns, 1)


def _groups(marks: np.ndarray) -> tuple[list[int], list[int]]:
    """The first of each group of rows that are the same, and how many these are."""
    scale = np.abs(marks).max(0) + 1.0
    first: list[int] = []
    counts: list[int] = []
    for row, mark in enumerate(marks):
        same = np.flatnonzero((np.abs(marks[first] - mark) < SAME * scale).all(1)) if first else []
        if len(same):
            counts[same[0]] += 1
        else:
            first.append(row)
            counts.append(1)
    return first, counts
