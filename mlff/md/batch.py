"""Replicas made ready to move together: their atoms side by side, one force field, the constraints of a stage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mlff.data.dataset import species_indices
from mlff.engine import Committee
from mlff.geometry.held_anions import HeldAnions, hold
from mlff.md.constraints import constraint_of
from mlff.md.dynamics import Dynamics, Ensemble, Target
from mlff.md.forces import ForceField
from mlff.md.noise import Noise
from mlff.md.replica import Replica
from mlff.md.state import Replicas, State
from mlff.model.potential import Potential
from mlff.units import AMU, K_B

Shapes = Mapping[int, np.ndarray]  # geometries of a replica's anions, see `hold`


@dataclass(frozen=True)
class Settings:
    """How replicas are moved: timestep (fs), skin (Å), device and dtype of the network, kind of the rotational constraint."""

    timestep: float
    skin: float = 1.0
    device: str = "cpu"
    dtype: str = "float32"
    kind: str = "eckart"


class Batch:
    """Replicas side by side.

    Raises:
        ValueError: two of one name, or a species that the potential does not know.
    """

    def __init__(self, potential: Potential | Committee, replicas: Sequence[Replica], settings: Settings):
        names = [replica.name for replica in replicas]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"replicas are named {names}, expected one at least and each name once")
        self.potential, self.replicas, self.settings = potential, list(replicas), settings
        self.sizes = [len(replica.atoms) for replica in replicas]
        self.first = np.cumsum([0, *self.sizes[:-1]]).tolist()
        self.masses = self._tensor(np.concatenate([replica.atoms.get_masses() for replica in replicas]) * AMU)
        self._pressure = self._tensor(np.array([replica.pressure for replica in replicas]))
        species = [species_indices(replica.atoms.numbers, potential.species, replica.name) for replica in replicas]
        self.force_field = ForceField(
            potential,
            torch.cat(species),
            np.array([replica.atoms.pbc for replica in replicas]),
            self.sizes,
            [replica.driver for replica in replicas],
            settings.skin,
            settings.device,
            getattr(torch, settings.dtype),
        )
        self.noise = Noise([(replica.seed, replica.name) for replica in replicas], self.sizes, settings.device)

    def start(self) -> State:
        """At rest, where the structures are; forces are not known yet."""
        positions = self._tensor(np.concatenate([replica.positions for replica in self.replicas]))
        cell = self._tensor(np.stack([replica.atoms.cell.array for replica in self.replicas]))
        zeros, none = torch.zeros_like(positions), positions.new_zeros(len(cell))
        return State(0, positions, zeros, cell, zeros, none, torch.full_like(cell, torch.nan), positions.new_zeros(0), {})

    def held(self, state: State, constrained: bool, shapes: Sequence[Shapes] | None) -> tuple[list[list[HeldAnions]], Tensor]:
        """The anions of each replica that its mode holds, as they lie in `state`, and positions that obey (`hold`).

        Args:
            constrained: whether modes count; nothing is held otherwise.
            shapes: of each replica.
        """
        groups, moved = [], []
        each = state.positions.cpu().split(self.sizes)
        for k, (replica, own, cell) in enumerate(zip(self.replicas, each, state.cell.cpu(), strict=True)):
            anions, masses = replica.constrained_anions, replica.atoms.get_masses()
            mode, shape = replica.mode if constrained else "UC", None if shapes is None else shapes[k]
            found, obeying = hold(anions, masses, own.numpy(), cell.numpy(), mode, shape)
            groups.append(found)
            moved.append(obeying)
        return groups, self._tensor(np.concatenate(moved))

    def dynamics(self, ensemble: Ensemble, held: Sequence[Sequence[HeldAnions]]) -> Dynamics:
        """What steps the replicas, their degrees of freedom counted.

        Raises:
            ValueError: none is left to a replica.
        """
        n_dof = []
        for replica, size, rests, groups in zip(self.replicas, self.sizes, self.rests(ensemble, held), held, strict=True):
            n_dof.append(3 * size - sum(int(group.n_removed.sum()) for group in groups) - 3 * rests)
            if n_dof[-1] < 1:
                raise ValueError(f"{replica.name}: nothing of its {size} atoms can move in mode {replica.mode}; hold less, or add atoms")
        constraint = constraint_of(held, self.first, self.masses, self.settings.kind)
        return Dynamics(Replicas(self.sizes, self.masses, n_dof), self.force_field, constraint, self.noise, self.settings.timestep)

    def rests(self, ensemble: Ensemble, held: Sequence[Sequence[HeldAnions]]) -> list[bool]:
        """Of each replica, whether its centre of mass rests for good: neither the ensemble nor a pinned anion takes up momentum."""
        return [ensemble.conserves_momentum and not any(group.pins_momentum for group in groups) for groups in held]

    def moving(self, dynamics: Dynamics, state: State, rests: Sequence[bool], target: Target, draw: bool) -> State:
        """`state` with velocities that constraints and momentum allow, and with forces.

        Args:
            draw: velocities anew, of Maxwell and Boltzmann; else those of the state, projected.
        """
        velocities = dynamics.constraint.velocities(state.positions, state.velocities)
        if draw:
            velocities = dynamics.allowed_noise(state.positions, target.kT)
        velocities = dynamics.replicas.at_rest(velocities, torch.tensor(rests, device=velocities.device))
        return dynamics.evaluated(replace(state, velocities=velocities), state.positions, state.cell, True)

    def target(self, temperatures: Sequence[float]) -> Target:
        """Of temperatures (K) and the replicas' pressures."""
        return Target(self._tensor(np.array(temperatures) * K_B), self._pressure)

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, dtype=float)).to(self.settings.device)
