"""Langevin dynamics, split as BAOAB (Leimkuhler and Matthews, Appl. Math. Res. Express 2013, 34)."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from mlff.md.dynamics import Dynamics, Target
from mlff.md.state import State
from mlff.units import PS


class Langevin:
    """Half a kick, half a move, friction and noise, half a move, half a kick. The noise obeys the constraints.

    It samples positions to fourth order in the harmonic limit, but slows diffusion where the friction is not far below the rates of
    the ions; the total momentum is not conserved.

    Args:
        friction: 1/ps.
    """

    conserves_momentum, varies_cell = False, False

    def __init__(self, friction: float = 1.0):
        if not friction > 0:
            raise ValueError(f"friction is {friction} 1/ps, expected above 0; for none, use the ensemble nve")
        self.friction = friction

    def begin(self, dynamics: Dynamics, state: State, target: Target) -> State:
        return replace(state, bath={"heat": torch.zeros_like(state.energy)})

    def step(self, dynamics: Dynamics, state: State, target: Target, stress: bool = False) -> State:
        d, dt = dynamics, dynamics.timestep
        kept = math.exp(-self.friction * dt / PS)
        velocities = d.kicked(state, state.velocities, 0.5 * dt)
        positions, velocities = d.constraint.moved(state.positions, velocities, 0.5 * dt)
        before = d.replicas.kinetic_energy(velocities)
        velocities = kept * velocities + math.sqrt(1 - kept**2) * d.allowed_noise(positions, target.kT)
        heat = state.bath["heat"] + d.replicas.kinetic_energy(velocities) - before
        positions, velocities = d.constraint.moved(positions, velocities, 0.5 * dt)
        state = d.evaluated(state, positions, state.cell, stress).with_bath(heat=heat)
        return replace(state, velocities=d.kicked(state, velocities, 0.5 * dt), step=state.step + 1)

    def conserved(self, dynamics: Dynamics, state: State, target: Target) -> Tensor:
        """The total energy less the heat that the bath gave."""
        return dynamics.total_energy(state) - state.bath["heat"]
