"""Crystals by name: prototypes, the supercells of publications, and any file in the same place."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.structure import catalogue
from mlff.structure.checks import check
from mlff.structure.doping import doped
from mlff.structure.file import from_file
from mlff.structure.occupation import occupied
from mlff.structure.presets import preset, presets
from mlff.structure.sites import sites_of_entry


def prototype(name: str, rng: np.random.Generator | None = None) -> Atoms:
    """One conventional cell of a crystal of prototypes.json, for example "Li6PS5Cl" or "AgI_alpha"; see `supercell`."""
    return supercell(name, (1, 1, 1), rng)


def supercell(name: str, repeat: Sequence[int] | None = None, rng: np.random.Generator | None = None) -> Atoms:
    """A supercell of a publication ("AgI_alpha_128"), or a prototype repeated.

    Partly occupied sites are drawn over the whole supercell, so that its cells differ.

    Args:
        name: of supercells.json where repeat is None, else of prototypes.json.
        repeat: cells along each lattice vector.
        rng: draws partly occupied sites and where dopants and vacancies are; None where there is nothing to draw.
    Returns:
        periodic atoms. `info` holds prototype, repeat, conditions, reference, charge (e, 0), where known caveat and used_in, and where
        drawn occupancies (see `occupied`), replaced and removed.
    Raises:
        ValueError: the name is unknown, rng is missing, or a check of the finished structure fails.
    """
    preset = catalogue.entry(name, catalogue.supercells(), "supercell") if repeat is None else {"prototype": name, "repeat": list(repeat)}
    crystal = catalogue.entry(preset["prototype"], catalogue.prototypes(), "prototype")
    repeat = _whole(preset["repeat"])
    composition = catalogue.composition(crystal, repeat)
    atoms = occupied(sites_of_entry(crystal).repeated(repeat), composition, rng)
    replace, remove = preset.get("replace", []), preset.get("remove", {})
    if replace or remove:
        atoms, composition = doped(atoms, replace, remove, rng)
    check(atoms, name, composition, crystal["density"])
    known = catalogue.provenance(crystal)
    doping = {"replaced": replace, "removed": remove} if replace or remove else {}
    used_in = {"used_in": preset["used_in"]} if "used_in" in preset else {}
    atoms.info = {"prototype": preset["prototype"], "repeat": list(repeat), **known, **used_in, "charge": 0, **atoms.info, **doping}
    return atoms


def structure(name_or_path: str | Path, repeat: Sequence[int] | None = None, seed: int = 0) -> Atoms:
    """A structure by its name, or from any file that ASE reads; see `crystal`.

    Args:
        seed: draws what is to be drawn: partly occupied sites of a prototype or of a CIF, and the sites of dopants.
    """
    return crystal(name_or_path, repeat, rng=np.random.default_rng(seed))


def crystal(structure: str | Path | Atoms, repeat: Sequence[int] | None = None, *, rng: np.random.Generator) -> Atoms:
    """A structure by the name of a prototype, a supercell or a preset, or from any file that ASE reads; atoms are repeated.

    Args:
        structure: one of `names()`; a file, of whose frames the last is taken (./AgI_beta is a file of that name); or atoms.
        repeat: cells along each lattice vector; None: one.
    Returns:
        as `supercell`, or `preset`; of a file, `info` holds what the file's does, and file, repeat, charge (None where it is not known)
        and, where they were drawn, occupancies; of atoms, a copy.
    Raises:
        ValueError: neither a name nor a file, a supercell to be repeated, overlapping atoms, or partly occupied sites whose
            composition is not neutral within 5 % of the mobile ion.
    """
    if isinstance(structure, Atoms):
        return structure.repeat(_whole(repeat or (1, 1, 1)))
    name = str(structure)
    if name in catalogue.supercells():
        if repeat is not None and tuple(repeat) != (1, 1, 1):
            base = catalogue.supercells()[name]["prototype"]
            raise ValueError(
                f"found repeat {list(repeat)} for {name!r}, which is a supercell already; repeat its prototype {base!r}, or leave it out"
            )
        return supercell(name, rng=rng)
    if name in catalogue.prototypes():
        return supercell(name, repeat or (1, 1, 1), rng)
    if name in presets():
        return preset(name, rng).repeat(_whole(repeat or (1, 1, 1)))
    if not Path(name).is_file():
        raise ValueError(f"{catalogue.unknown(name, names(), 'file or structure')}, or give a path (here is {Path.cwd()})")
    return from_file(name, _whole(repeat or (1, 1, 1)), rng)


def names() -> list[str]:
    """Every name that `crystal` knows."""
    return sorted([*catalogue.prototypes(), *catalogue.supercells(), *presets()])


def _whole(repeat: Sequence[int]) -> tuple[int, int, int]:
    if len(repeat) != 3 or any(int(n) != n or n < 1 for n in repeat):
        raise ValueError(
            f"found repeat {list(repeat)}, expected three whole numbers of at least 1; give the cells along each lattice vector"
        )
    return tuple(int(n) for n in repeat)
