"""Frame: one labelled structure, the unit every reader returns and everything after reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import ase

ENERGY_KINDS = ("free", "sigma0", "unknown")


@dataclass(frozen=True, eq=False)
class Frame:
    """One structure with its reference labels. A missing label is None, never zero.

    numbers: atomic numbers, (n,) int. positions: (n, 3), Å.
    cell: rows are the lattice vectors, (3, 3), Å; zeros where not periodic. pbc: (3,) bool.
    energy: eV of the whole cell. forces: (n, 3), eV/Å. stress: (3, 3), eV/Å³, tension positive (ASE's sign; virial = −V·stress).
    energy_kind: "free" (Mermin free energy, whose derivative the forces are), "sigma0" (extrapolated to zero smearing) or "unknown".
    source, index: the file as given and the position in it. info: JSON-able facts where known: "config_type", "temperature" (K),
    "trajectory" (name of the run: frames that share it are correlated in time), "structure", "settings" (hash of the DFT settings),
    "unread_keys" (names of arrays that were not recognised, where energy or forces are missing), ...

    Raises:
        ValueError: arrays whose shapes disagree, or a label that is NaN or infinite; the message names file and frame.
    """

    numbers: np.ndarray
    positions: np.ndarray
    cell: np.ndarray
    pbc: np.ndarray
    energy: float | None
    forces: np.ndarray | None
    stress: np.ndarray | None
    energy_kind: str = "unknown"
    source: str = "memory"
    index: int = 0
    info: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.energy_kind not in ENERGY_KINDS:
            raise ValueError(f"{self.where}: energy_kind {self.energy_kind!r} is not one of {', '.join(ENERGY_KINDS)}; name one of these")
        put = object.__setattr__  # the only way to normalise a frozen dataclass
        put(self, "numbers", np.array(self.numbers, dtype=np.int64))
        n = len(self.numbers)
        put(self, "positions", self._array("positions", (n, 3)))
        put(self, "cell", self._array("cell", (3, 3)))
        put(self, "pbc", np.broadcast_to(np.asarray(self.pbc, dtype=bool), (3,)).copy())
        if self.energy is not None:
            put(self, "energy", float(self._array("energy", ())))
        if self.forces is not None:
            put(self, "forces", self._array("forces", (n, 3)))
        if self.stress is not None:
            put(self, "stress", self._array("stress", (3, 3)))

    def _array(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        array = np.array(getattr(self, name), dtype=np.float64)  # a copy: atoms that move on must not move the frame
        if array.shape != shape:
            raise ValueError(f"{self.where}: {name} have shape {array.shape}, expected {shape}; repair the frame or drop it")
        if not np.isfinite(array).all():
            bad = int(array.size - np.isfinite(array).sum())
            raise ValueError(
                f"{self.where}: {name} hold {bad} value(s) that are NaN or infinite, expected finite numbers; "
                "the calculation has probably failed: drop the frame or label it again"
            )
        return array

    @property
    def where(self) -> str:
        """File and position for messages: "li.extxyz, frame 17"."""
        return f"{self.source}, frame {self.index}"

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def symbols(self) -> list[str]:
        """Chemical symbols, one per atom."""
        from ase.data import chemical_symbols

        return [chemical_symbols[z] for z in self.numbers]

    @property
    def volume(self) -> float:
        """|det(cell)|, Å³; 0 for a molecule."""
        return float(abs(np.linalg.det(self.cell)))

    def to_atoms(self) -> ase.Atoms:
        """ASE atoms whose calculator holds the labels (stress in Voigt order xx yy zz yz xz xy)."""
        from ase import Atoms
        from ase.calculators.singlepoint import SinglePointCalculator
        from ase.stress import full_3x3_to_voigt_6_stress

        info = {key: value for key, value in self.info.items() if key != "unread_keys"}  # the atoms no longer have these arrays
        atoms = Atoms(numbers=self.numbers, positions=self.positions, cell=self.cell, pbc=self.pbc, info=info)
        results: dict[str, object] = {}
        if self.energy is not None:
            results["energy"] = self.energy
            if self.energy_kind == "free":
                results["free_energy"] = self.energy
        if self.forces is not None:
            results["forces"] = self.forces.copy()
        if self.stress is not None:
            results["stress"] = full_3x3_to_voigt_6_stress(self.stress)
        if results:
            atoms.calc = SinglePointCalculator(atoms, **results)
        return atoms

    @classmethod
    def from_atoms(
        cls,
        atoms: ase.Atoms,
        *,
        source: str = "memory",
        index: int = 0,
        energy_kind: str | None = None,
        info: Mapping[str, object] | None = None,
    ) -> Frame:
        """Labels by `mlff.data.labels.labels_from_atoms`: REF_* keys first, then the calculator's or the plain ones.

        energy_kind: which energy to take where both are there, and what to call a single one; None: the free energy where it is given.
        info: added to what the atoms' own info holds (its JSON-able scalars and strings).
        """
        from mlff.data.labels import labels_from_atoms, plain_info, unread_keys

        labels = labels_from_atoms(atoms, f"{source}, frame {index}", energy_kind)
        unread = unread_keys(atoms) if labels.energy is None or labels.forces is None else []
        return cls(
            numbers=atoms.numbers,
            positions=atoms.positions,
            cell=np.asarray(atoms.cell),
            pbc=atoms.pbc,
            energy=labels.energy,
            forces=labels.forces,
            stress=labels.stress,
            energy_kind=labels.energy_kind,
            source=source,
            index=index,
            info={**plain_info(atoms.info), **(info or {}), **({"unread_keys": unread} if unread else {})},
        )
