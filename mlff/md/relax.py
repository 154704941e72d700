"""Descent to a minimum as an ensemble: FIRE (Bitzek et al., Phys. Rev. Lett. 97, 170201, 2006) for each replica, constraints obeyed."""

from dataclasses import replace

import torch
from torch import Tensor

from mlff.md.dynamics import Dynamics, Target
from mlff.md.state import State

# of the paper; the largest step keeps an atom that starts on another from being shot away
MIX, SLOWER_MIX, PATIENCE, FASTER, SLOWER, LONGEST = 0.1, 0.99, 5, 1.1, 0.5, 0.1


class Relax:
    """Velocities turn towards the forces while they go downhill, and stop where they do not.

    Args:
        slowest, fastest: fs, its own timesteps; the run's timestep does not matter.
    """

    conserves_momentum, varies_cell = True, False

    def __init__(self, slowest: float = 0.1, fastest: float = 5.0):
        self.slowest, self.fastest = slowest, fastest

    def begin(self, dynamics: Dynamics, state: State, target: Target) -> State:
        one = torch.ones_like(state.energy)
        bath = {"timestep": one, "mix": MIX * one, "downhill": 0 * one}
        return replace(state, velocities=torch.zeros_like(state.velocities), bath=bath)

    def step(self, dynamics: Dynamics, state: State, target: Target, stress: bool = False) -> State:
        replicas, bath = dynamics.replicas, state.bath
        power = replicas.sums((state.forces * state.velocities).sum(1))
        # Pᵀ F is no velocity that the constraint allows where an anion's masses differ; P Pᵀ F is one, and goes downhill as well
        pulls = dynamics.constraint.velocities(state.positions, state.forces)
        speed, pull = (replicas.sums(v.square().sum(1)).sqrt() for v in (state.velocities, pulls))
        mix = replicas.to_atoms(bath["mix"]).unsqueeze(1)
        along = pulls * replicas.to_atoms(speed / pull.clamp(min=1e-30)).unsqueeze(1)
        downhill = power > 0
        going = replicas.to_atoms(downhill).unsqueeze(-1)
        velocities = torch.where(going, (1 - mix) * state.velocities + mix * along, torch.zeros_like(along))
        count = torch.where(downhill, bath["downhill"] + 1, torch.zeros_like(power))
        free = count > PATIENCE
        timestep = torch.where(free, (FASTER * bath["timestep"]).clamp(max=self.fastest), bath["timestep"])
        timestep = torch.where(downhill, timestep, (SLOWER * bath["timestep"]).clamp(min=self.slowest))
        mixing = torch.where(downhill, torch.where(free, SLOWER_MIX * bath["mix"], bath["mix"]), torch.full_like(power, MIX))
        time = replicas.to_atoms(timestep).unsqueeze(-1)
        velocities = velocities + time * state.forces * replicas.inverse_mass
        moves = time * velocities
        # all atoms of a replica alike: shortened one by one, they would leave what the constraint allows
        moves = moves * replicas.to_atoms(LONGEST / replicas.largest(moves.norm(dim=1)).clamp(min=LONGEST)).unsqueeze(-1)
        positions, velocities = dynamics.constraint.moved(state.positions, moves, 1.0)
        velocities = velocities / time
        state = dynamics.evaluated(state, positions, state.cell, stress)
        bath = {"timestep": timestep, "mix": mixing, "downhill": count}
        return replace(state, velocities=velocities, step=state.step + 1, bath=bath)

    def conserved(self, dynamics: Dynamics, state: State, target: Target) -> Tensor:
        """The potential energy, which falls."""
        return state.energy
