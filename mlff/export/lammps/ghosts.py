"""The neighbourhood of one process's atoms, whose neighbours may be ghosts: copies of atoms that it or another process owns."""

import torch
from torch import Tensor

from mlff.graph import AtomGraph
from mlff.nn.slots import Neighborhood, arrange


def centred(species: Tensor, n_atoms: int, i: Tensor, j: Tensor, r: Tensor, n_species: int, padding: float) -> tuple[Neighborhood, Tensor]:
    """Pairs in slots, with only the process's own atoms as centres.

    A neighbour counts by its species alone. Behind the atoms come n_species further ones without neighbours, one of each species,
    and these stand for all neighbours; so `hood.neighbor` and `hood.reverse` say nothing here.

    Args:
        species: (n_total,) int64, of the atoms and then of the ghosts.
        n_atoms: how many are the process's own.
        i, j: (n_pairs,) int64, an atom, and an atom or a ghost.
        r: r_j − r_i, (n_pairs, 3) float64, Å.
        padding: Å, beyond every cutoff.
    Returns:
        the neighbourhood, with n_atoms + n_species atoms; and the pair in each slot, (n_slots, n_sites) int64, 0 where it is empty.
    """
    device = species.device
    number = torch.arange(len(i), device=device)
    graph = AtomGraph(
        num_nodes=n_atoms + n_species,
        species=torch.cat([species[:n_atoms], torch.arange(n_species, device=device)]),
        positions=r.new_zeros(n_atoms + n_species, 3),
        cell=r.new_zeros(1, 3, 3),
        edge_index=torch.stack([i, n_atoms + species[j]]),
        edge_shift=torch.stack([number, torch.zeros_like(number), torch.zeros_like(number)], dim=1),  # a number that each edge keeps
    )
    hood = arrange(graph, n_species, padding)
    pair = hood.shift[0].long()
    vectors = hood.vectors if len(r) == 0 else torch.where(hood.filled, r.T[:, pair], hood.vectors)
    return hood.moved(vectors), pair


class Ghosts:
    """What carries `lean2`'s numbers between atoms and edges that end at ghosts: LAMMPS's communication.

    Args:
        data: with `forward_exchange`, which copies rows of atoms to their ghosts, and `reverse_exchange`, which adds rows of ghosts to
            those of their atoms; all processes call these together.
        hood: of `centred`.
        neighbor: (n_slots, n_sites) int64, the atom or ghost in each slot.
        n_atoms: the process's own.
    """

    def __init__(self, data, hood: Neighborhood, neighbor: Tensor, n_atoms: int):
        self.data, self.hood, self.neighbor, self.n_atoms = data, hood, neighbor, n_atoms

    def to_edges(self, h: Tensor) -> Tensor:
        width = h.shape[:-1]
        own = self.hood.of_atoms(h)[..., : self.n_atoms].flatten(0, -2)
        rows = own.new_zeros(self.data.ntotal, len(own))
        rows[: self.n_atoms] = own.T
        return self._sent(self.data.forward_exchange, rows).T.unflatten(0, width)[..., self.neighbor]

    def from_edges(self, into_edges: Tensor) -> Tensor:
        width = into_edges.shape[:-2]
        # an empty slot has another one's neighbour, and adds zero
        of_slots = into_edges.flatten(-2).flatten(0, -2)
        rows = of_slots.new_zeros(self.data.ntotal, len(of_slots)).index_add_(0, self.neighbor.flatten(), of_slots.T)
        own = self._sent(self.data.reverse_exchange, rows)[: self.n_atoms]
        stand_ins = own.new_zeros(len(self.hood.site_of_atom) - self.n_atoms, own.shape[1])
        return self.hood.at_sites(torch.cat([own, stand_ins]).T.unflatten(0, width))

    @staticmethod
    def _sent(exchange, rows: Tensor) -> Tensor:
        """(n_total, width) → the same after communication."""
        sent = torch.empty_like(rows)
        exchange(rows, sent, rows.shape[1])
        return sent
