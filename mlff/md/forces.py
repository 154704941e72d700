"""Energies, forces and stress of all replicas in one evaluation."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mlff.engine import Committee, Engine, evaluator, stacked_of
from mlff.engine.committee import force_deviation
from mlff.engine.verlet import VerletList
from mlff.model.potential import Potential

MEAN = -1  # of the committee: what drives a replica where no member of its own does


@dataclass(frozen=True)
class Evaluated:
    """energy (n_replicas,), eV; forces (n_atoms, 3), eV/Å; stress (n_replicas, 3, 3), eV/Å³; deviation (n_atoms,), eV/Å, or empty."""

    energy: Tensor
    forces: Tensor
    stress: Tensor
    deviation: Tensor


class ForceField:
    """A potential, or the members of a committee, for replicas side by side.

    Args:
        potential: trained; kept as it is.
        species: (n_atoms,) int64, indices into the potential's species.
        pbc: (n_replicas, 3) bool.
        sizes: atoms of each replica.
        drivers: what drives each replica: the number of a member, or MEAN; None: the mean everywhere.
        skin: Å. device, dtype: of the network; all else is float64.
    Raises:
        ValueError: the architecture has no engine.
    """

    def __init__(
        self,
        potential: Potential | Committee,
        species: Tensor,
        pbc: np.ndarray,
        sizes: Sequence[int],
        drivers: Sequence[int] | None = None,
        skin: float = 1.0,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ):
        ours = stacked_of(copy.deepcopy(potential)).to(device=device, dtype=dtype).eval().requires_grad_(False)
        self._engine = evaluator(ours, constant=True)
        if not isinstance(self._engine, Engine):
            raise ValueError("this architecture is evaluated by automatic differentiation alone, too slow for dynamics; use lean or lean2")
        self.n_members = len(ours.E0)
        self.neighbors = VerletList(species, len(ours.species), pbc, ours.r_max, skin=skin, device=device, sizes=sizes)
        self._chosen = self._choice(drivers or [MEAN] * len(sizes), sizes, device)

    def __call__(self, positions: Tensor, cell: Tensor, stress: bool = True) -> Evaluated:
        """At positions (n_atoms, 3) and cells (n_replicas, 3, 3), Å.

        Args:
            stress: whether it is wanted; NaN otherwise.
        """
        found = self._engine.evaluate(self.neighbors.hood(positions, cell), stress)
        if self.n_members == 1:
            energy, forces, strain, deviation = found.energy[0], found.forces[0], found.stress, positions.new_zeros(0)
            return Evaluated(energy, forces, torch.full_like(cell, torch.nan) if strain is None else strain[0], deviation)
        each = [found.energy, found.stress] if stress else [found.energy]
        energy, *strain = (self._driven(values, self._chosen[0]) for values in each)
        forces = self._driven(found.forces, self._chosen[1])
        return Evaluated(energy, forces, strain[0] if strain else torch.full_like(cell, torch.nan), force_deviation(found.forces))

    def _driven(self, values: Tensor, weights: Tensor) -> Tensor:
        """Σ over members of (n_members, n, …), weighted by (n_members, n)."""
        return (values * weights.view(*weights.shape, *[1] * (values.ndim - 2))).sum(0)

    def _choice(self, drivers: Sequence[int], sizes: Sequence[int], device: str) -> tuple[Tensor, Tensor]:
        """Weights of the members in each replica (n_members, n_replicas), and of each atom (n_members, n_atoms)."""
        of_replica = torch.full((self.n_members, len(drivers)), 1 / self.n_members, dtype=torch.float64)
        for replica, driver in enumerate(drivers):
            if driver != MEAN:
                of_replica[:, replica] = torch.eye(self.n_members, dtype=torch.float64)[driver]
        of_replica = of_replica.to(device)
        return of_replica, of_replica.repeat_interleave(torch.tensor(sizes, device=device), dim=1)
