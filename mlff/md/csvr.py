"""Canonical sampling through velocity rescaling (Bussi, Donadio and Parrinello, J. Chem. Phys. 126, 014101, 2007)."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from mlff.md.dynamics import Dynamics, Target
from mlff.md.state import State


class CSVR:
    """Velocity Verlet, then one random factor for all velocities of a replica: the kinetic energy is canonical, diffusion hardly changed.

    Args:
        relaxation_time: fs, of the kinetic energy.
    """

    conserves_momentum, varies_cell = True, False

    def __init__(self, relaxation_time: float = 100.0):
        if not relaxation_time > 0:
            raise ValueError(f"relaxation_time is {relaxation_time} fs, expected above 0; 100 fs serves solids")
        self.relaxation_time = relaxation_time

    def begin(self, dynamics: Dynamics, state: State, target: Target) -> State:
        return replace(state, bath={"heat": torch.zeros_like(state.energy)})

    def step(self, dynamics: Dynamics, state: State, target: Target, stress: bool = False) -> State:
        d = dynamics
        state = d.verlet(state, stress)
        kinetic = d.replicas.kinetic_energy(state.velocities)
        squared = self._factor_squared(d, kinetic, target.kT)
        velocities = d.replicas.to_atoms(squared.sqrt()).unsqueeze(-1) * state.velocities
        return replace(state, velocities=velocities).with_bath(heat=state.bath["heat"] + (squared - 1) * kinetic)

    def _factor_squared(self, dynamics: Dynamics, kinetic: Tensor, kT: Tensor) -> Tensor:
        """α² of the paper's appendix A, (n_replicas,)."""
        noise = dynamics.noise
        kept = math.exp(-dynamics.timestep / self.relaxation_time)
        per_dof = (1 - kept) * kT / (2 * kinetic.clamp(min=torch.finfo(kinetic.dtype).tiny))
        one = noise.of_replicas()
        rest = noise.chi_square([n - 1 for n in dynamics.replicas.n_dof_counted])
        squared = kept + per_dof * (one.square() + rest) + 2 * one * (kept * per_dof).sqrt()
        return torch.where(kinetic > 0, squared, torch.ones_like(squared))

    def conserved(self, dynamics: Dynamics, state: State, target: Target) -> Tensor:
        """The total energy less the heat that the bath gave."""
        return dynamics.total_energy(state) - state.bath["heat"]
