"""What every ensemble steps with, and the velocity Verlet step that most of them are built around."""

from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from mlff.md.constraints import Constraint
from mlff.md.forces import ForceField
from mlff.md.noise import Noise
from mlff.md.state import Replicas, State


@dataclass(frozen=True)
class Target:
    """What a bath holds the replicas at: kT (n_replicas,), eV; pressure (n_replicas,), eV/Å³."""

    kT: Tensor
    pressure: Tensor


@dataclass(frozen=True)
class Dynamics:
    """Replicas, what moves them, and the timestep (fs)."""

    replicas: Replicas
    force_field: ForceField
    constraint: Constraint
    noise: Noise
    timestep: float

    def kicked(self, state: State, velocities: Tensor, time: float) -> Tensor:
        """Velocities after `time` (fs) of the forces of `state`."""
        return torch.addcmul(velocities, state.forces, self.replicas.inverse_mass, value=time)

    def evaluated(self, state: State, positions: Tensor, cell: Tensor, stress: bool) -> State:
        """`state` with the positions, and the forces there."""
        found = self.force_field(positions, cell, stress)
        forces = self.constraint.forces(positions, found.forces)
        return replace(
            state, positions=positions, cell=cell, forces=forces, energy=found.energy, stress=found.stress, deviation=found.deviation
        )

    def allowed_noise(self, positions: Tensor, kT: Tensor) -> Tensor:
        """Velocities of Maxwell and Boltzmann at kT (n_replicas,), eV, as the constraint allows them, (n_atoms, 3)."""
        spread = (self.replicas.to_atoms(kT).unsqueeze(-1) * self.replicas.inverse_mass).sqrt()
        return self.constraint.velocities(positions, spread * self.noise.of_atoms())

    def total_energy(self, state: State) -> Tensor:
        """Kinetic and potential, (n_replicas,), eV."""
        return state.energy + self.replicas.kinetic_energy(state.velocities)

    def verlet(self, state: State, stress: bool) -> State:
        """One step of velocity Verlet (Swope et al., J. Chem. Phys. 76, 637, 1982)."""
        half = self.kicked(state, state.velocities, 0.5 * self.timestep)
        positions, half = self.constraint.moved(state.positions, half, self.timestep)
        state = self.evaluated(state, positions, state.cell, stress)
        return replace(state, velocities=self.kicked(state, half, 0.5 * self.timestep), step=state.step + 1)


class Ensemble(Protocol):
    """How replicas are stepped; a module of this package is one.

    conserves_momentum: of replicas without pinned anions.
    varies_cell: whether it needs the stress at each step.
    """

    conserves_momentum: bool
    varies_cell: bool

    def begin(self, dynamics: Dynamics, state: State, target: Target) -> State:
        """With the bath at rest."""

    def step(self, dynamics: Dynamics, state: State, target: Target, stress: bool) -> State:
        """One timestep later; `stress` says whether it is wanted."""

    def conserved(self, dynamics: Dynamics, state: State, target: Target) -> Tensor:
        """(n_replicas,), eV: what stays the same but for the error of the integration, while the target does."""
