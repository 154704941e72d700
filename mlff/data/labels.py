"""Which key of an ASE Atoms object is the reference label: REF_energy before energy, and so on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import ase

# "REF_" first: a file that was evaluated with another potential often carries that potential's numbers under the plain names
ENERGY_KEYS = ("REF_energy", "energy")
FORCES_KEYS = ("REF_forces", "forces")
STRESS_KEYS = ("REF_stress", "REF_virials", "REF_virial", "stress", "virials", "virial")
LABEL_KEYS = frozenset((*ENERGY_KEYS, *FORCES_KEYS, *STRESS_KEYS, "free_energy"))


@dataclass(frozen=True)
class Labels:
    """The labels found and, in `keys`, the name each was found under (quantity → key)."""

    energy: float | None
    forces: np.ndarray | None
    stress: np.ndarray | None
    energy_kind: str
    keys: Mapping[str, str] = field(default_factory=dict)


def labels_from_atoms(atoms: ase.Atoms, where: str, energy_kind: str | None = None) -> Labels:
    """Reference labels of `atoms`; a missing one is None.

    With energy_kind None or "free" a `free_energy` goes before `energy`, because the forces derive from it.
    An energy alone is called what `energy_kind` (or info["energy_kind"]) says, else "unknown".
    Virials (eV) become stress = −virial / V.

    Raises:
        ValueError: a stress that is not 3, 6 or 9 numbers, a virial without a cell, or `energy_kind` "free" where another kind is declared.
    """
    found = {**atoms.arrays, **atoms.info}
    if atoms.calc is not None:
        # asking the calculator, not its results: after the atoms have moved they belong to other positions
        names = ("energy", "free_energy", "forces", "stress")
        stored = {name: atoms.calc.get_property(name, atoms, allow_calculation=False) for name in names}
        found = {**found, **{key: value for key, value in stored.items() if value is not None}}
    keys: dict[str, str] = {}

    key = next((k for k in ENERGY_KEYS if k in found), None)
    if "REF_energy" not in found and "free_energy" in found and energy_kind in (None, "free"):
        key = "free_energy"
    energy, kind = None, "unknown"
    if key is not None:
        keys["energy"] = key
        energy = float(np.asarray(found[key]))
        declared = str(found.get("energy_kind", "unknown"))
        kind = "free" if key == "free_energy" else (energy_kind or declared)
        if energy_kind and declared != "unknown" and key != "free_energy" and declared != energy_kind:
            raise ValueError(
                f"{where}: holds the {declared!r} energy alone, expected {energy_kind!r}; "
                "leave energy_kind out or give a file that has both"
            )

    forces = None
    if (key := next((k for k in FORCES_KEYS if k in found), None)) is not None:
        keys["forces"], forces = key, np.asarray(found[key], dtype=float)

    stress = None
    if (key := next((k for k in STRESS_KEYS if k in found), None)) is not None:
        keys["stress"], stress = key, full_stress(found[key], f"{where}, {key}")
        if "virial" in key:
            volume = abs(np.linalg.det(np.asarray(atoms.cell)))
            if volume == 0:
                raise ValueError(f"{where}: {key} is given but the cell has no volume; give a cell or remove the virial")
            stress = -stress / volume
    return Labels(energy, forces, stress, kind, keys)


def full_stress(value: object, where: str) -> np.ndarray:
    """3×3 from 3×3, 9 numbers (row by row) or 6 (Voigt order xx yy zz yz xz xy), symmetrised."""
    array = np.asarray(value, dtype=float)
    if array.size == 6:
        xx, yy, zz, yz, xz, xy = array.ravel()
        return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    if array.size != 9:
        raise ValueError(f"{where}: {array.size} numbers, expected 9 (3×3) or 6 (Voigt order xx yy zz yz xz xy); correct the file")
    array = array.reshape(3, 3)
    return 0.5 * (array + array.T)  # files carry rounding asymmetry


def plain_info(info: Mapping[str, object]) -> dict[str, object]:
    """The JSON-able part of `atoms.info` that is not a label."""
    plain: dict[str, object] = {}
    for key, value in info.items():
        if key in LABEL_KEYS or key == "energy_kind" or key.startswith(("REF_", "MLFF_")):
            continue
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, (str, int, float, bool)):
            plain[str(key)] = value
    return plain


# what ASE itself keeps per atom
_ARRAYS_OF_ASE = frozenset(("numbers", "positions", "momenta", "masses", "tags", "initial_magmoms", "initial_charges"))


def unread_keys(atoms: ase.Atoms) -> list[str]:
    """Names of the arrays of numbers that are no label and that `plain_info` leaves behind: "forces_dft", "stress_dft"."""
    arrays = [*((key, value) for key, value in atoms.arrays.items() if key not in _ARRAYS_OF_ASE), *atoms.info.items()]
    return sorted(
        str(key)
        for key, value in arrays
        if key not in LABEL_KEYS and not key.startswith(("REF_", "MLFF_")) and np.ndim(value) and np.asarray(value).dtype.kind in "if"
    )
