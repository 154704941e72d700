"""Neighbours with a skin, for atoms that move a little from call to call (Verlet, Phys. Rev. 159, 98, 1967)."""

import numpy as np
import torch
from torch import Tensor

from mlff.geometry import neighbor_list
from mlff.graph import AtomGraph
from mlff.nn.slots import Neighborhood, arrange, edge_differences


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
        self._hood: Neighborhood | None = None

    def hood(self, positions: np.ndarray, cell: np.ndarray) -> Neighborhood:
        """Edges at these positions.

        Args:
            positions: (n_atoms, 3), Å; may lie outside the cell, and have to be continuous from call to call.
            cell: (3, 3) rows, Å.
        """
        if self._hood is None or self._may_have_missed(positions, cell):
            self._build(positions, cell)
            return self._hood
        sites = self._hood.at_sites(torch.from_numpy(np.ascontiguousarray(positions.T)).to(self.device))
        between = edge_differences(sites, self._hood.neighbor)
        if np.array_equal(cell, self._cell):
            return self._hood.moved(between + self._offset)
        cell = torch.from_numpy(np.array(cell, dtype=float)).to(self.device)
        return self._hood.moved(between + self._offset_in(cell), cell.unsqueeze(0))

    def _build(self, positions: np.ndarray, cell: np.ndarray) -> None:
        pairs, shift = neighbor_list(positions, cell, self.pbc, self.r_max + self.skin, half=True)
        edge_index, edge_shift = np.concatenate([pairs, pairs[::-1]], axis=1), np.concatenate([shift, -shift])
        graph = AtomGraph(
            num_nodes=len(positions),
            species=self.species,
            positions=torch.from_numpy(np.array(positions, dtype=float)).to(self.device),
            cell=torch.from_numpy(np.array(cell, dtype=float)).unsqueeze(0).to(self.device),
            edge_index=torch.from_numpy(edge_index).to(self.device),
            edge_shift=torch.from_numpy(edge_shift).to(self.device),
        )
        # beyond every cutoff, however far it may yet move
        self._hood = arrange(
            graph, self.n_species, padding=self.r_max + self.skin + 1, n_isolated=max(1, self.least), least_slots=self.least, paired=True
        )
        self._positions, self._cell = np.array(positions, dtype=float), np.array(cell, dtype=float)
        self._offset = self._offset_in(graph.cell[0])
        self.n_rebuilds += 1

    def _offset_in(self, cell: Tensor) -> Tensor:
        """Å between the images of the two atoms of each edge, (3, n_slots, n_sites); the padding where a slot is empty."""
        hood = self._hood
        offset = torch.einsum("asn,ab->bsn", hood.shift.double(), cell)
        # the vectors of empty slots never change
        return torch.where(hood.filled, offset, hood.vectors)

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
