"""The microcanonical ensemble."""

from dataclasses import replace

from torch import Tensor

from mlff.md.dynamics import Dynamics, Target
from mlff.md.state import State


class NVE:
    """Velocity Verlet; the total energy is conserved."""

    conserves_momentum, varies_cell = True, False

    def begin(self, dynamics: Dynamics, state: State, target: Target) -> State:
        return replace(state, bath={})

    def step(self, dynamics: Dynamics, state: State, target: Target, stress: bool = False) -> State:
        return dynamics.verlet(state, stress)

    def conserved(self, dynamics: Dynamics, state: State, target: Target) -> Tensor:
        return dynamics.total_energy(state)
