"""Neighbours with a skin, for atoms that move a little from call to call (Verlet, Phys. Rev. 159, 98, 1967)."""

import sys

import numpy as np
import torch
from torch import Tensor

from mlff.geometry import along_curve, neighbor_list
from mlff.graph import AtomGraph
from mlff.nn.slots import Neighborhood, arrange, edge_vectors

FEW = 8000  # atoms: of 4,000 shuffled ones none gains by another order, of 32,768 an evaluation takes 11 (lean) to 25 % (lean2) less
BIN = 4.0  # Å, the sides of what is sorted along space: a fraction of a cutoff


class VerletList:
    """The neighbourhood of one set of atoms, found anew only when a pair could have come within the cutoff unseen.

    Args:
        species: (n_atoms,) int64, indices into the model's species.
        n_species: how many the model knows.
        pbc: (3,) bool.
        r_max: Å, the model's cutoff.
        skin: Å, how far beyond it neighbours are kept; 0 finds them at every call.
        device: of the tensors.
        least: sites and slots that each species has at least, see `arrange`.
    Attributes:
        n_rebuilds: how often neighbours were found.
    """

    def __init__(self, species: Tensor, n_species: int, pbc: np.ndarray, r_max: float, skin: float = 0.5, device="cpu", least: int = 0):
        if skin < 0:
            raise ValueError(f"skin is {skin} Å, expected 0 or more; set `skin`")
        self.species, self.n_species, self.pbc = species.to(device), n_species, np.asarray(pbc, dtype=bool)
        self.r_max, self.skin, self.device = float(r_max), float(skin), device
        self.least, self.n_rebuilds = least, 0
        # beyond every cutoff, however far atoms may yet move
        self._padding = self.r_max + self.skin + 1
        self._hood: Neighborhood | None = None
        self._last = np.empty(0)
        self._held_by_nobody = sys.getrefcount(self._last)  # which number that is depends on the interpreter

    def hood(self, positions: np.ndarray, cell: np.ndarray) -> Neighborhood:
        """Edges at these positions.

        Args:
            positions: (n_atoms, 3), Å; may lie outside the cell, and have to be continuous from call to call.
            cell: (3, 3) rows, Å.
        """
        if self._hood is None or self._may_have_missed(positions, cell):
            self._build(positions, cell)
            return self._hood
        moved = self._hood.cell if np.array_equal(cell, self._cell) else self._tensor(cell).unsqueeze(0)
        return self._hood.moved(edge_vectors(self._hood, self._tensor(positions), moved, self._padding, self._memory()), moved)

    def _build(self, positions: np.ndarray, cell: np.ndarray) -> None:
        edge_index, edge_shift = neighbor_list(positions, cell, self.pbc, self.r_max + self.skin, half=True)
        graph = AtomGraph(
            num_nodes=len(positions),
            species=self.species,
            positions=self._tensor(positions),
            cell=self._tensor(cell).unsqueeze(0),
            edge_index=torch.from_numpy(edge_index).to(self.device),
            edge_shift=torch.from_numpy(edge_shift).to(self.device),
        )
        order = None
        if len(positions) > FEW:
            order = torch.from_numpy(along_curve(positions, cell, self.pbc, BIN)).to(self.device)
        self._hood = arrange(
            graph, self.n_species, self._padding, n_isolated=max(1, self.least), least_slots=self.least, half=True, order=order
        )
        self._positions, self._cell = np.array(positions, dtype=float), np.array(cell, dtype=float)
        self.n_rebuilds += 1

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

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.array(values, dtype=float)).to(self.device)

    def _may_have_missed(self, positions: np.ndarray, cell: np.ndarray) -> bool:
        """Whether a pair beyond r_max + skin then may be within r_max now.

        With strain e (the spectral norm of what the cell's change adds to 1) and atoms that moved by at most u on top of it, a pair
        at r is now at (1 − e) r − 2u or more.
        """
        strain, moved = 0.0, positions - self._positions
        if not np.array_equal(cell, self._cell):
            if np.linalg.matrix_rank(cell) < 3 or np.linalg.matrix_rank(self._cell) < 3:
                return True
            change = np.linalg.solve(self._cell, cell)
            strain, moved = np.linalg.norm(change - np.eye(3), 2), positions - self._positions @ change
        farthest = np.sqrt(np.square(moved).sum(1).max(initial=0.0))
        return (1 - strain) * (self.r_max + self.skin) - 2 * farthest < self.r_max
