"""A trained potential as a TorchSim model."""

import copy
import os
from typing import Self

import numpy as np
import torch
from torch import Tensor
from torch_sim.models.interface import ModelInterface
from torch_sim.state import SimState

from mlff.artefact import load
from mlff.data.dataset import collate, graph_of
from mlff.data.frame import Frame
from mlff.engine import Committee, CommitteePrediction, evaluator, stacked_of
from mlff.export.engine import check_dtype
from mlff.graph import AtomGraph
from mlff.model.potential import Potential


class MLFFModel(ModelInterface):
    """energy (n_systems,), eV, forces (n_atoms, 3), eV/Å, and stress (n_systems, 3, 3), eV/Å³, tension positive, of a SimState.

    All systems go through the model at once, a committee as its mean. Neighbours are found anew at each call, on the CPU. Tried with
    TorchSim 0.3.0 and torch 2.13.

    Args:
        potential: trained, or a committee.
        device: where it runs, and where TorchSim makes its states.
        dtype: of the network, "float32" or "float64"; states that TorchSim makes for this model are float64 in any case.
        compute_stress: False for systems without a volume, whose stress is NaN.
    """

    def __init__(self, potential: Potential | Committee, device: str = "cpu", dtype: str = "float32", compute_stress: bool = True):
        super().__init__()
        check_dtype(dtype)
        # a copy: the caller's potential keeps its device, dtype and gradients
        self.potential = copy.deepcopy(potential).to(device=device, dtype=getattr(torch, dtype)).eval()
        self.potential.requires_grad_(False)
        self._evaluator = evaluator(stacked_of(self.potential))
        self._device, self._dtype = torch.device(device), torch.float64
        self._compute_forces, self._compute_stress = True, compute_stress

    @classmethod
    def load(cls, path: str | os.PathLike, device: str = "cpu", dtype: str = "float32", compute_stress: bool = True) -> Self:
        """From an artefact's folder, or "bundled:li3ps4"."""
        return cls(load(path).potential, device=device, dtype=dtype, compute_stress=compute_stress)

    def forward(self, state: SimState, **_) -> dict[str, Tensor]:
        """Predict all systems; what comes back has the dtype of the positions.

        Raises:
            ValueError: a species that the model does not know.
        """
        batch = collate(self._graphs(state)).to(self._device)
        prediction = CommitteePrediction.of(self._evaluator.predict(batch, self._compute_stress))
        told = {"energy": prediction.energy, "forces": prediction.forces}
        if self._compute_stress:
            told["stress"] = prediction.stress
        return {name: values.detach().to(state.positions) for name, values in told.items()}

    def _graphs(self, state: SimState) -> list[AtomGraph]:
        positions, numbers, system = (of.detach().cpu().numpy() for of in (state.positions, state.atomic_numbers, state.system_idx))
        cells = state.cell.detach().cpu().numpy().transpose(0, 2, 1)  # their columns are the cell vectors
        pbc = np.broadcast_to(torch.as_tensor(state.pbc).cpu().numpy(), 3)
        return [
            graph_of(
                Frame(numbers[system == i], positions[system == i], cell, pbc, None, None, None, source="the SimState", index=i),
                self.potential.species,
                self.potential.r_max,
            )
            for i, cell in enumerate(cells)
        ]
