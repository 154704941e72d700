"""A trained potential as an ASE calculator."""

import os
from typing import Self

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from mlff.artefact import load
from mlff.data.dataset import species_indices
from mlff.engine import Committee, CommitteePrediction
from mlff.export.ase.runner import Neighbors, PythonRunner, Runner
from mlff.export.compiled import CompiledPotential, is_compiled
from mlff.export.engine import check_dtype
from mlff.geometry import neighbor_list
from mlff.model.potential import Potential
from mlff.uncertainty import committee_results

COMMITTEE_PROPERTIES = ("energy_comm", "forces_comm", "stress_comm", "energy_var", "forces_var", "stress_var", "energy_std", "forces_std")


class MLFFCalculator(Calculator):
    """Energy (eV), energies (eV), forces (eV/Å) and stress (eV/Å³, ASE's Voigt order and sign) of ASE Atoms.

    A committee gives its mean, and in `results` what its members say: `energy_comm` (n_members,), `forces_comm`
    (n_members, n, 3) and `stress_comm` (n_members, 6); their population variances `energy_var`, `forces_var` (n, 3) and
    `stress_var` (6,), in squared units; `energy_std` (eV) and `forces_std` (n,) = √⟨‖F − ⟨F⟩‖²⟩ (eV/Å), a norm over x, y, z.

    Args:
        potential: trained, or a committee; or what runs one already, a `CompiledPotential`.
        device: where it runs; None: the CPU, or where a compiled one was compiled for.
        dtype: of the network, "float32" or "float64", None: float32, or what it was compiled with; positions and sums are float64
            in any case. Relaxations and elastic constants want float64.
        skin: Å beyond the cutoff within which neighbours are remembered from call to call, as molecular dynamics wants.
    Raises:
        ValueError: it was compiled for another device or dtype.
    """

    implemented_properties = ["energy", "free_energy", "energies", "forces", "stress"]

    def __init__(
        self, potential: Potential | Committee | CompiledPotential, device: str | None = None, dtype: str | None = None, skin: float = 0.5
    ):
        super().__init__()
        if dtype is not None:
            check_dtype(dtype)
        self.runner = _runner(potential, device, dtype)
        self.skin = skin
        self._neighbors: Neighbors | None = None
        if self.runner.n_members > 1:
            self.implemented_properties = [*self.implemented_properties, *COMMITTEE_PROPERTIES]

    @classmethod
    def load(cls, path: str | os.PathLike, device: str | None = None, dtype: str | None = None, skin: float = 0.5) -> Self:
        """From an artefact's folder, "bundled:li3ps4", or the folder of a compiled model."""
        return cls(CompiledPotential(path) if is_compiled(path) else load(path).potential, device=device, dtype=dtype, skin=skin)

    def calculate(self, atoms: Atoms | None = None, properties: list[str] = ("energy",), system_changes: list[str] = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        periodic = self.atoms.cell.rank == 3
        if "stress" in properties and not periodic:
            raise PropertyNotImplementedError(
                f"stress needs a volume, but the cell has rank {self.atoms.cell.rank}; give three cell vectors or do not ask for it"
            )
        prediction = self._predict()
        forces = prediction.forces.cpu().numpy()
        energy = float(prediction.energy)
        if not (np.isfinite(energy) and np.isfinite(forces).all()):
            raise FloatingPointError(
                "the model answered NaN, expected finite energy and forces; two atoms probably coincide: "
                f"the shortest distance is {_shortest(self.atoms, self.runner.r_max):.3g} Å"
            )
        self.results = {"energy": energy, "free_energy": energy, "energies": prediction.energies.cpu().numpy(), "forces": forces}
        if periodic:
            self.results["stress"] = full_3x3_to_voigt_6_stress(prediction.stress[0].cpu().numpy())
        if self.runner.n_members > 1:
            each = prediction.members
            members = (each.energy[:, 0], each.forces, *([each.stress[:, 0]] if periodic else []))
            self.results |= committee_results(*(values.cpu().numpy() for values in members))

    def _predict(self) -> CommitteePrediction:
        if self._neighbors is None or self._changed():
            species = species_indices(self.atoms.numbers, self.runner.species, "the structure")
            self._neighbors = self.runner.neighbors(species, self.atoms.pbc, self.skin)
            self._numbers, self._pbc = self.atoms.numbers.copy(), self.atoms.pbc.copy()
        hood = self._neighbors.hood(self.atoms.positions, self.atoms.cell.array)
        return self.runner.evaluate(hood, torch.from_numpy(self.atoms.positions.copy()).to(self.runner.device))

    def _changed(self) -> bool:
        return not (np.array_equal(self._numbers, self.atoms.numbers) and np.array_equal(self._pbc, self.atoms.pbc))


def _runner(potential: Potential | Committee | CompiledPotential, device: str | None, dtype: str | None) -> Runner:
    if not isinstance(potential, CompiledPotential):
        return PythonRunner(potential, device or "cpu", dtype or "float32")
    for name, asked in (("device", device), ("dtype", dtype)):
        found = getattr(potential, name)
        if asked not in (None, found):
            raise ValueError(f"the model was compiled for {name} {found!r}, but {asked!r} was asked for; leave it out, or export it again")
    return potential


def _shortest(atoms: Atoms, r_max: float) -> float:
    (centre, neighbor), shift = neighbor_list(atoms.positions, atoms.cell.array, atoms.pbc, r_max)
    r = atoms.positions[neighbor] - atoms.positions[centre] + shift @ atoms.cell.array
    return float(np.linalg.norm(r, axis=1).min(initial=np.inf))
