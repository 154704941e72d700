"""What molecular dynamics moves: replicas side by side, their state, and what is read off it.

Units: Å, fs, eV; masses in eV fs²/Å² (amu × `mlff.units.AMU`), so that a = F/m and ½ m v² need no factor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class State:
    """One moment of all replicas; atoms of one replica follow those of another.

    step: how many were taken.
    positions: (n_atoms, 3), Å, never wrapped. velocities: (n_atoms, 3), Å/fs. cell: (n_replicas, 3, 3) rows, Å.
    forces: (n_atoms, 3), eV/Å, of the potential, on constrained anions projected.
    energy: (n_replicas,), eV, of the potential.
    stress: (n_replicas, 3, 3), eV/Å³, of the potential, (1/V) ∂E/∂ε; NaN where there is no volume.
    deviation: (n_atoms,), eV/Å, `force_deviation` of the committee's members; empty for a single potential.
    bath: variables of the ensemble, by name, each (n_replicas, …).
    """

    step: int
    positions: Tensor
    velocities: Tensor
    cell: Tensor
    forces: Tensor
    energy: Tensor
    stress: Tensor
    deviation: Tensor
    bath: Mapping[str, Tensor]

    def of(self, which: Sequence[int], sizes: Sequence[int]) -> Self:
        """Some of the replicas alone, whose sizes all are given."""

        def atoms(values: Tensor) -> Tensor:
            return torch.cat([values.split(list(sizes))[k] for k in which]) if len(values) else values

        of_atoms = {name: atoms(getattr(self, name)) for name in ("positions", "velocities", "forces", "deviation")}
        of_replicas = {name: getattr(self, name)[list(which)] for name in ("cell", "energy", "stress")}
        return replace(self, **of_atoms, **of_replicas, bath={name: values[list(which)] for name, values in self.bath.items()})

    def with_bath(self, **variables: Tensor) -> Self:
        return replace(self, bath={**self.bath, **variables})


class Replicas:
    """What of the replicas does not change as they move.

    Args:
        sizes: atoms of each.
        masses: (n_atoms,), eV fs²/Å².
        n_dof: degrees of freedom of each, (n_replicas,): 3N less what constraints take, less 3 where the total momentum is zero for good.
    """

    def __init__(self, sizes: Sequence[int], masses: Tensor, n_dof: Sequence[int]):
        self.sizes, self.n, self.n_dof_counted = list(sizes), len(sizes), list(n_dof)
        self.mass = masses.unsqueeze(1)
        self.inverse_mass = 1 / self.mass
        self.n_dof = torch.tensor(self.n_dof_counted, dtype=torch.float64, device=masses.device)
        self.of_atom = torch.repeat_interleave(torch.tensor(self.sizes)).to(masses.device)

    def sums(self, values: Tensor) -> Tensor:
        """Σ over the atoms of each replica, (n_atoms, …) → (n_replicas, …)."""
        if self.n == 1:
            return values.sum(0, keepdim=True)
        return values.new_zeros(self.n, *values.shape[1:]).index_add(0, self.of_atom, values)

    def to_atoms(self, values: Tensor) -> Tensor:
        """(n_replicas, …) → (n_atoms, …), each atom its replica's; broadcast where there is one."""
        return values if self.n == 1 else values.index_select(0, self.of_atom)

    def kinetic_energy(self, velocities: Tensor) -> Tensor:
        """½ Σ m v², (n_replicas,), eV."""
        return 0.5 * self.sums((self.mass * velocities.square()).sum(1))

    def kinetic_tensor(self, velocities: Tensor) -> Tensor:
        """Σ m v ⊗ v, (n_replicas, 3, 3), eV."""
        return self.sums((self.mass * velocities).unsqueeze(2) * velocities.unsqueeze(1))

    def kT(self, velocities: Tensor) -> Tensor:
        """2 E_kin / n_dof, (n_replicas,), eV; 0 where nothing can move."""
        return 2 * self.kinetic_energy(velocities) / self.n_dof.clamp(min=1)

    def momentum(self, velocities: Tensor) -> Tensor:
        """Σ m v, (n_replicas, 3), eV fs/Å."""
        return self.sums(self.mass * velocities)

    def at_rest(self, velocities: Tensor, which: Tensor) -> Tensor:
        """Velocities less that of the centre of mass, in the replicas `which` (n_replicas,) bool."""
        drift = self.momentum(velocities) / self.sums(self.mass) * which.unsqueeze(1)
        return velocities - self.to_atoms(drift)

    def largest(self, per_atom: Tensor) -> Tensor:
        """The maximum over the atoms of each replica, (n_atoms,) → (n_replicas,)."""
        return torch.stack([part.max() for part in per_atom.split(self.sizes)])
