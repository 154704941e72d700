"""TorchSim as an engine."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from ase import Atoms

from mlff.export.engine import MODEL, Answer, OfArtefact, no_device
from mlff.units import PS

if TYPE_CHECKING:
    from mlff.export.torchsim.model import MLFFModel


class TorchSim(OfArtefact):
    """`mlff.export.torchsim.MLFFModel`, with TorchSim's own states and integrator."""

    example = Path(__file__).parent / "example"

    def missing(self) -> str | None:
        if importlib.util.find_spec("torch_sim") is None:
            return "TorchSim is not installed; `pip install .[torchsim]`"
        return no_device(self.device)

    def answers(self, folder: Path, frames: Sequence[Atoms]) -> list[Answer]:
        model = self._model(folder)
        return [_answer(model, atoms) for atoms in frames]

    def nve(self, folder: Path, atoms: Atoms, timestep: float, n_steps: int) -> np.ndarray:
        import torch_sim

        model = self._model(folder)
        state = torch_sim.initialize_state(atoms, model.device, model.dtype)
        # of the same unit, √(eV amu); the temperature is for states that bring none
        state.momenta = torch.as_tensor(atoms.get_momenta(), dtype=model.dtype, device=model.device)
        dt = torch.tensor(timestep / PS * torch_sim.units.MetalUnits.time, dtype=model.dtype, device=model.device)
        begin, step = torch_sim.nve(model, dt=dt, kT=torch.zeros_like(dt))
        state = begin(state)
        energies = [_total_energy(state)]
        for _ in range(n_steps):
            state = step(state)
            energies.append(_total_energy(state))
        return np.array(energies)

    def _model(self, folder: Path) -> "MLFFModel":
        from mlff.export.torchsim.model import MLFFModel

        return MLFFModel.load(folder / MODEL, device=self.device, dtype=self.dtype)


def _answer(model: "MLFFModel", atoms: Atoms) -> Answer:
    import torch_sim

    state = torch_sim.initialize_state(atoms, model.device, model.dtype)
    state.pbc = torch.as_tensor(atoms.pbc)  # TorchSim 0.3 takes one answer for all axes where it makes the state
    told = {name: values.cpu().numpy() for name, values in model(state).items()}
    return Answer(float(told["energy"][0]), told["forces"], told["stress"][0] if atoms.cell.rank == 3 else None)


def _total_energy(state) -> float:
    import torch_sim

    return float(state.energy[0]) + float(torch_sim.calc_kinetic_energy(momenta=state.momenta, masses=state.masses))
