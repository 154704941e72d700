"""Neighbours with a skin, for atoms that move a little from call to call (Verlet, Phys. Rev. 159, 98, 1967)."""

import sys
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from mlff.geometry import along_curve, neighbor_list
from mlff.graph import AtomGraph
from mlff.nn.slots import Neighborhood, arrange, edge_vectors

FEW = 8000  # atoms: of 4,000 shuffled ones none gains by another order, of 32,768 an evaluation takes 11 (lean) to 25 % (lean2) less
BIN = 4.0  # Å, the sides of what is sorted along space: a fraction of a cutoff


class VerletList:
    """The neighbourhood of a structure, or of several side by side, found anew only when a pair could have come within the cutoff unseen.

    Args:
        species: (n_atoms,) int64, indices into the model's species; those of one structure after those of another.
        n_species: how many the model knows.
        pbc: (3,) bool, or (n_structures, 3).
        r_max: Å, the model's cutoff.
        skin: Å, how far beyond it neighbours are kept; 0 finds them at every call.
        device: of the tensors.
        least: sites and slots that each species has at least, see `arrange`.
        sizes: atoms of each structure; None for one structure.
    Attributes:
        n_rebuilds: how often neighbours were found.
    """

    def __init__(
        self,
        species: Tensor,
        n_species: int,
        pbc: np.ndarray,
        r_max: float,
        skin: float = 0.5,
        device="cpu",
        least: int = 0,
        sizes: Sequence[int] | None = None,
    ):
        if skin < 0:
            raise ValueError(f"skin is {skin} Å, expected 0 or more; set `skin`")
        self.species, self.n_species, self.sizes = species.to(device), n_species, [len(species)] if sizes is None else list(sizes)
        assert sum(self.sizes) == len(species)
        self.pbc = np.broadcast_to(np.asarray(pbc, dtype=bool), (len(self.sizes), 3))
        self.r_max, self.skin, self.device = float(r_max), float(skin), device
        self.least, self.n_rebuilds = least, 0
        self._structure = torch.repeat_interleave(torch.tensor(self.sizes)).to(device)
        # beyond every cutoff, however far atoms may yet move
        self._padding = self.r_max + self.skin + 1
        self._hood: Neighborhood | None = None
        self._last = np.empty(0)
        self._held_by_nobody = sys.getrefcount(self._last)  # which number that is depends on the interpreter

    def hood(self, positions: np.ndarray | Tensor, cell: np.ndarray | Tensor) -> Neighborhood:
        """Edges at these positions.

        Args:
            positions: (n_atoms, 3), Å; may lie outside the cell, and have to be continuous from call to call.
            cell: (3, 3) rows, Å, or (n_structures, 3, 3).
        """
        positions, cell = self._tensor(positions), self._tensor(cell).reshape(-1, 3, 3)
        if self._hood is None or self._may_have_missed(positions, cell):
            self._build(positions, cell)
            return self._hood
        return self._hood.moved(edge_vectors(self._hood, positions, cell, self._padding, self._memory()), cell.clone())

    def forget(self) -> None:
        """Find neighbours at the next call in any case: what it gives is then a function of its positions alone, to the last bit."""
        self._hood = None

    def _build(self, positions: Tensor, cell: Tensor) -> None:
        graph = self._graph(positions, cell)
        order = None
        if len(positions) > FEW:
            each = self._each(positions, cell)
            first = np.cumsum([0, *self.sizes[:-1]])
            curves = [along_curve(*atoms, BIN) + at for atoms, at in zip(each, first, strict=True)]
            order = torch.from_numpy(np.concatenate(curves)).to(self.device)
        self._hood = arrange(
            graph, self.n_species, self._padding, n_isolated=max(1, self.least), least_slots=self.least, half=True, order=order
        )
        self._positions, self._cell = graph.positions, graph.cell
        self.n_rebuilds += 1

    def _graph(self, positions: Tensor, cell: Tensor) -> AtomGraph:
        index, shift, first = [], [], 0
        for at, box, pbc in self._each(positions, cell):
            edge_index, edge_shift = neighbor_list(at, box, pbc, self.r_max + self.skin, half=True)
            index.append(torch.from_numpy(edge_index) + first)
            shift.append(torch.from_numpy(edge_shift))
            first += len(at)
        return AtomGraph(
            num_nodes=len(positions),
            species=self.species,
            positions=positions.clone(),
            cell=cell.clone(),
            edge_index=torch.cat(index, dim=1).to(self.device),
            edge_shift=torch.cat(shift).to(self.device),
            batch=None if len(self.sizes) == 1 else self._structure,
        )

    def _each(self, positions: Tensor, cell: Tensor) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Positions, cell and pbc of each structure."""
        for at, box, pbc in zip(positions.cpu().split(self.sizes), cell.cpu(), self.pbc, strict=True):
            yield at.numpy(), box.numpy(), pbc

    def _memory(self) -> Tensor | None:
        """For the vectors of a call: that of the last one where nobody holds its vectors any more.

        A tensor that shares memory with an array holds the array, and so do all views of it.
        """
        if torch.device(self.device).type != "cpu":
            return None
        shape = tuple(self._hood.vectors.shape)
        if self._last.shape != shape or sys.getrefcount(self._last) != self._held_by_nobody:
            self._last = np.empty(shape)
        return torch.from_numpy(self._last)

    def _tensor(self, values: np.ndarray | Tensor) -> Tensor:
        return torch.as_tensor(values, dtype=torch.float64, device=self.device)

    def _may_have_missed(self, positions: Tensor, cell: Tensor) -> bool:
        """Whether a pair beyond r_max + skin then may be within r_max now.

        With strain e (the norm of what the cell's change adds to 1, which bounds by how much it shortens) and atoms that moved by at
        most u on top of it, a pair at r is now at (1 − e) r − 2u or more. Of several structures the largest e and u count: they find
        neighbours together.
        """
        strain, start = 0.0, self._positions
        if not torch.equal(cell, self._cell):
            if not torch.linalg.det(self._cell).abs().min() > 0:
                return True
            change = torch.linalg.solve(self._cell, cell)
            strain = float((change - torch.eye(3, dtype=cell.dtype, device=cell.device)).square().sum((1, 2)).max()) ** 0.5
            start = torch.einsum("ia,iab->ib", start, change[self._structure])
        farthest = float((positions - start).square().sum(1).max()) ** 0.5 if len(positions) else 0.0
        # not ≥: a position that is no number is looked at, and refused
        return not (1 - strain) * (self.r_max + self.skin) - 2 * farthest >= self.r_max
