"""A trained potential as an ASE calculator."""

import copy
import os
from typing import Self

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator, PropertyNotImplementedError, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from mlff.artefact import load
from mlff.data.dataset import graph_of
from mlff.data.frame import Frame
from mlff.engine import Committee, CommitteePrediction, Reference, evaluator, stack
from mlff.engine.verlet import VerletList
from mlff.graph import AtomGraph, Prediction
from mlff.model.potential import Potential
from mlff.uncertainty import committee_results

COMMITTEE_PROPERTIES = ("energy_comm", "forces_comm", "stress_comm", "energy_var", "forces_var", "stress_var", "energy_std", "forces_std")


class MLFFCalculator(Calculator):
    """Energy (eV), energies (eV), forces (eV/Å) and stress (eV/Å³, ASE's Voigt order and sign) of ASE Atoms.

    A committee gives its mean, and in `results` what its members say: `energy_comm` (n_members,), `forces_comm`
    (n_members, n, 3) and `stress_comm` (n_members, 6); their population variances `energy_var`, `forces_var` (n, 3) and
    `stress_var` (6,), in squared units; `energy_std` (eV) and `forces_std` (n,) = √⟨‖F − ⟨F⟩‖²⟩ (eV/Å), a norm over x, y, z.

    Args:
        potential: trained, or a committee.
        device: where it runs.
        dtype: of the network, "float32" or "float64"; positions and sums are float64 in any case. Relaxations and
            elastic constants want float64.
        skin: Å beyond the cutoff within which neighbours are remembered from call to call, as molecular dynamics wants.
    """

    implemented_properties = ["energy", "free_energy", "energies", "forces", "stress"]

    def __init__(self, potential: Potential | Committee, device: str = "cpu", dtype: str = "float32", skin: float = 0.5):
        super().__init__()
        if dtype not in ("float32", "float64"):
            raise ValueError(f"dtype is {dtype!r}, expected 'float32' or 'float64'")
        # a copy: the caller's potential keeps its device, dtype and gradients
        self.potential = copy.deepcopy(potential).to(device=device, dtype=getattr(torch, dtype)).eval()
        self.potential.requires_grad_(False)
        self.device, self.skin = device, skin
        stacked = self.potential.stacked if isinstance(self.potential, Committee) else stack([self.potential])
        self._evaluator = evaluator(stacked)
        self._neighbors: VerletList | None = None
        if isinstance(potential, Committee):
            self.implemented_properties = [*self.implemented_properties, *COMMITTEE_PROPERTIES]

    @classmethod
    def load(cls, path: str | os.PathLike, device: str = "cpu", dtype: str = "float32", skin: float = 0.5) -> Self:
        """From an artefact's folder, or "bundled:li3ps4"."""
        return cls(load(path).potential, device=device, dtype=dtype, skin=skin)

    def calculate(self, atoms: Atoms | None = None, properties: list[str] = ("energy",), system_changes: list[str] = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        periodic = self.atoms.cell.rank == 3
        if "stress" in properties and not periodic:
            raise PropertyNotImplementedError(
                f"stress needs a volume, but the cell has rank {self.atoms.cell.rank}; give three cell vectors or do not ask for it"
            )
        prediction = CommitteePrediction.of(self._predict(periodic))
        forces = prediction.forces.cpu().numpy()
        energy = float(prediction.energy)
        if not (np.isfinite(energy) and np.isfinite(forces).all()):
            raise FloatingPointError(
                "the model answered NaN, expected finite energy and forces; two atoms probably coincide: "
                f"the shortest distance is {_shortest(self._graph()):.3g} Å"
            )
        self.results = {"energy": energy, "free_energy": energy, "energies": prediction.energies.cpu().numpy(), "forces": forces}
        if periodic:
            self.results["stress"] = full_3x3_to_voigt_6_stress(prediction.stress[0].cpu().numpy())
        if isinstance(self.potential, Committee):
            each = prediction.members
            members = (each.energy[:, 0], each.forces, *([each.stress[:, 0]] if periodic else []))
            self.results |= committee_results(*(values.cpu().numpy() for values in members))

    def _predict(self, compute_stress: bool) -> Prediction:
        """Of every member. The engine remembers neighbours; the reference finds them at each call."""
        if isinstance(self._evaluator, Reference):
            return self._evaluator.predict(self._graph().to(self.device), compute_stress)
        if self._neighbors is None or self._changed():
            graph = self._graph()
            self._neighbors = VerletList(
                graph.species, len(self.potential.species), self.atoms.pbc, self.potential.r_max, skin=self.skin, device=self.device
            )
            self._numbers, self._pbc = self.atoms.numbers.copy(), self.atoms.pbc.copy()
        return self._evaluator.evaluate(self._neighbors.hood(self.atoms.positions, self.atoms.cell.array), compute_stress)

    def _changed(self) -> bool:
        return not (np.array_equal(self._numbers, self.atoms.numbers) and np.array_equal(self._pbc, self.atoms.pbc))

    def _graph(self) -> AtomGraph:
        frame = Frame(self.atoms.numbers, self.atoms.positions, self.atoms.cell.array, self.atoms.pbc, None, None, None, source="ASE atoms")
        return graph_of(frame, self.potential.species, self.potential.r_max)


def _shortest(graph) -> float:
    centre, neighbor = graph.edge_index
    r = graph.positions[neighbor] - graph.positions[centre] + graph.edge_shift.double() @ graph.cell[0]
    return float(r.norm(dim=1).min()) if len(r) else float("inf")
