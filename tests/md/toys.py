"""Force fields of known answers, called as `mlff.md.forces.ForceField` is, and replicas made ready to step with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from ase import Atoms
from ase.neighborlist import neighbor_list
from torch import Tensor

from mlff.md.batch import Batch, Settings
from mlff.md.dynamics import Dynamics, Ensemble, Target
from mlff.md.forces import Evaluated
from mlff.md.replica import Replica
from mlff.md.state import State
from mlff.units import AMU
from tests.contracts.potentials import build
from tests.geometry.anions import cell_of_anions

PS4_LI = ("Li", "P", "S", "Ge")


class Toy:
    """Energies (n_replicas,), forces and strain derivatives of what a kind of toy adds up.

    Args:
        sizes: atoms of each replica.
    """

    def __init__(self, sizes: Sequence[int]):
        self.n = len(sizes)
        self.of_atom = torch.repeat_interleave(torch.tensor(list(sizes)))

    def sums(self, values: Tensor, of: Tensor | None = None) -> Tensor:
        of = self.of_atom if of is None else of
        return values.new_zeros(self.n, *values.shape[1:]).index_add(0, of, values)

    def answer(self, energy: Tensor, forces: Tensor, strain: Tensor, cell: Tensor) -> Evaluated:
        return Evaluated(energy, forces, strain / torch.linalg.det(cell).abs().view(-1, 1, 1), forces.new_zeros(0))


class Springs(Toy):
    """Springs between all atoms of each structure that are nearer than 4.2 Å, at rest where these lie: it never melts.

    P–S bonds hold with 10 eV/Å², the edges of their tetrahedra with 3 eV/Å², other pairs with 0.3 eV/Å²; that springs turn makes it
    anharmonic.
    """

    def __init__(self, structures: Sequence[Atoms]):
        sizes = [len(atoms) for atoms in structures]
        super().__init__(sizes)
        parts, first = [], 0
        for k, atoms in enumerate(structures):
            i, j, d, shift = neighbor_list("ijdS", atoms, 4.2)
            once = (i < j) | ((i == j) & (shift @ [100, 10, 1] > 0))
            sulfur = (atoms.numbers[i] == 16) & (atoms.numbers[j] == 16) & (d < 3.7)
            stiffness = np.where(d < 2.5, 10.0, np.where(sulfur, 3.0, 0.3))
            parts.append([a[once] for a in (i + first, j + first, np.full(len(i), k), shift.astype(float), d, stiffness)])
            first += len(atoms)
        columns = (np.concatenate(column) for column in zip(*parts, strict=True))
        self.i, self.j, self.k, self.shift, self.rest, self.stiffness = (torch.from_numpy(column) for column in columns)

    def __call__(self, positions: Tensor, cell: Tensor, stress: bool = True) -> Evaluated:
        d = positions[self.j] - positions[self.i] + (self.shift.unsqueeze(1) @ cell[self.k]).squeeze(1)
        length = d.norm(dim=1)
        pull = (self.stiffness * (length - self.rest) / length).unsqueeze(1) * d
        forces = torch.zeros_like(positions).index_add(0, self.i, pull).index_add(0, self.j, -pull)
        energy = self.sums(0.5 * self.stiffness * (length - self.rest).square(), self.k)
        return self.answer(energy, forces, self.sums(pull.unsqueeze(2) * d.unsqueeze(1), self.k), cell)


class Wells(Toy):
    """½ k u² of each atom about its site, of which the mean over the replica may be left out: then momentum is conserved.

    Args:
        sites: (n_atoms, 3), Å. stiffness: k, eV/Å².
    """

    def __init__(self, sizes: Sequence[int], sites: Tensor, stiffness: float, floating: bool):
        super().__init__(sizes)
        self.sites, self.stiffness, self.floating = sites, stiffness, floating
        self._counts = torch.bincount(self.of_atom).unsqueeze(1)

    def displacements(self, positions: Tensor) -> Tensor:
        u = positions - self.sites
        return u - (self.sums(u) / self._counts)[self.of_atom] if self.floating else u

    def __call__(self, positions: Tensor, cell: Tensor, stress: bool = True) -> Evaluated:
        u = self.displacements(positions)
        strain = torch.full_like(cell, torch.nan)
        return self.answer(self.sums(0.5 * self.stiffness * u.square().sum(1)), -self.stiffness * u, strain, cell)


class Box(Toy):
    """A crystal whose volume has the statistics of n ideal particles under a pressure, whatever its vibrations and its shape do.

    E = Σ (½ k u² + ¼ q u⁴) − n kT ln V + ½ c (tr C / det C^⅓ − 3), with u of atoms from their sites in the cell less their mean, and
    C = FᵀF of the cell's deformation F. Neither the first nor the last sum prefers a volume, so that p(V) ∝ Vⁿ exp(−PV/kT):
    ⟨V⟩ = (n + 1) kT/P and its variance (n + 1)(kT/P)².

    Args:
        scaled: (n_atoms, 3), where the sites are in the cell.
    """

    def __init__(self, sizes: Sequence[int], scaled: Tensor, cell: Tensor, n: float, kT: float, shape: float = 1.0):
        super().__init__(sizes)
        self.scaled, self.start, self.n_kT, self.shape = scaled, cell, n * kT, shape
        self._counts = torch.bincount(self.of_atom).unsqueeze(1)

    def __call__(self, positions: Tensor, cell: Tensor, stress: bool = True) -> Evaluated:
        u = positions - (self.scaled.unsqueeze(1) @ cell[self.of_atom]).squeeze(1)
        u = u - (self.sums(u) / self._counts)[self.of_atom]
        square = u.square().sum(1, keepdim=True)
        slope = (2.0 + 8.0 * square) * u  # k = 2 eV/Å², q = 8 eV/Å⁴
        slope = slope - (self.sums(slope) / self._counts)[self.of_atom]
        f = torch.linalg.solve(self.start, cell).mT  # columns: x → F x
        volume, left = torch.linalg.det(cell).abs(), f @ f.mT
        scale = torch.linalg.det(left) ** (-1 / 3)
        trace = torch.einsum("raa->r", left)
        energy = self.sums((square + 2.0 * square.square()).squeeze(1)) - self.n_kT * volume.log()
        energy = energy + 0.5 * self.shape * (trace * scale - 3)
        one = torch.eye(3, dtype=cell.dtype)
        strain = self.sums(slope.unsqueeze(2) * u.unsqueeze(1)) - self.n_kT * one
        strain = strain + self.shape * scale.view(-1, 1, 1) * (left - trace.view(-1, 1, 1) / 3 * one)
        return self.answer(energy, -slope, strain, cell)


@dataclass
class Run:
    """Replicas that step under an ensemble."""

    batch: Batch
    ensemble: Ensemble
    dynamics: Dynamics
    target: Target
    state: State

    def steps(self, n: int) -> None:
        for _ in range(n):
            self.state = self.ensemble.step(self.dynamics, self.state, self.target, self.ensemble.varies_cell)

    def conserved(self) -> Tensor:
        return self.ensemble.conserved(self.dynamics, self.state, self.target)


_POTENTIAL = []


def potential():
    """Knows the species; in tests of a toy its forces are not asked for."""
    if not _POTENTIAL:
        _POTENTIAL.append(build("lean", size="XS"))
    return _POTENTIAL[0]


def begun(
    replicas: Sequence[Replica],
    ensemble: Ensemble,
    timestep: float,
    toy: Callable[[Sequence[int], Tensor, Tensor], Toy] | None = None,
    kind: str = "eckart",
) -> Run:
    """At the beginning of a constrained stage: on the manifold, with velocities drawn.

    Args:
        toy: of sizes, positions and cells; None: springs that are at rest in the structures.
    """
    batch = Batch(potential(), replicas, Settings(timestep, dtype="float64", kind=kind))
    start = batch.start()
    if toy is None:
        batch.force_field = Springs([replica.atoms for replica in replicas])
        # springs count their cells from where atoms are; anions were put in one piece since
        moved = start.positions - torch.from_numpy(np.concatenate([replica.atoms.positions for replica in replicas]))
        whole = torch.linalg.solve(start.cell[batch_of(batch)].mT, moved.unsqueeze(2)).squeeze(2).round()
        springs = batch.force_field
        springs.shift = springs.shift - whole[springs.j] + whole[springs.i]
    else:
        batch.force_field = toy(batch.sizes, start.positions, start.cell)
    held, positions = batch.held(start, True, None)
    dynamics, target = batch.dynamics(ensemble, held), batch.target([replica.temperature for replica in replicas])
    state = State(**{**vars(start), "positions": positions})
    state = batch.moving(dynamics, state, batch.rests(ensemble, held), target, draw=True)
    return Run(batch, ensemble, dynamics, target, ensemble.begin(dynamics, state, target))


def batch_of(batch: Batch) -> Tensor:
    return torch.repeat_interleave(torch.tensor(batch.sizes))


def tetrahedra(rng: np.random.Generator, mode: str = "UC", temperature: float = 600.0, n: int = 1, **options) -> list[Replica]:
    """Four PS4 and twelve Li each."""
    return [Replica(f"{mode}-{k}", cell_of_anions(rng), temperature, mode=mode, seed=k, **options) for k in range(n)]


def lithium(n_atoms: int, temperature: float, n: int, symbols: Sequence[str] = ("Li",), pressure: float = 0.0, length: float = 12.0):
    """Atoms far from each other, as many replicas as asked for."""
    grid = np.array([[i, j, k] for i in range(3) for j in range(3) for k in range(3)])[:n_atoms] / 3 + 0.1
    cell = length * np.array([[1, 0.03, 0], [0, 1, 0.05], [0.02, 0, 1]])
    names = (list(symbols) * n_atoms)[:n_atoms]
    atoms = Atoms(names, scaled_positions=grid, cell=cell, pbc=True)
    return [Replica(f"{k}", atoms, temperature, pressure=pressure, seed=k) for k in range(n)]


def masses_of(run: Run) -> Tensor:
    """(n_atoms,), amu."""
    return run.dynamics.replicas.mass.squeeze(1) / AMU
