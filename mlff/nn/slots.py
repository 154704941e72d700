"""Neighbours in padded slots, one block of slots per neighbour species, the atom index innermost.

Each array over edges is (..., n_slots, n_atoms): a sum over the neighbours of one species is a sum over a block
of slots, without scatter or atomics, and adjacent atoms lie adjacent in memory. Nothing is ever truncated: a
block has as many slots as the atom with most neighbours of that species needs.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mlff.graph import AtomGraph


@dataclass(frozen=True)
class Neighborhood:
    """What the edge stage of a model sees.

    species: (n_atoms,) int64.
    vectors: (3, n_slots, n_atoms), r_j − r_i, Å; an empty slot holds a vector of `padding` length.
    neighbor: (n_slots, n_atoms) int64, j; an atom's own index where the slot is empty.
    filled: (n_slots, n_atoms) bool.
    slots_per_species: how many slots each neighbour species has; they sum to n_slots.
    graph_index: (n_atoms,) int64.
    n_graphs: int.
    """

    species: Tensor
    vectors: Tensor
    neighbor: Tensor
    filled: Tensor
    slots_per_species: tuple[int, ...]
    graph_index: Tensor
    n_graphs: int


def arrange(graph: AtomGraph, n_species: int, padding: float) -> Neighborhood:
    """Sort the edges of a graph into slots, with edge vectors in float64.

    Args:
        n_species: how many species the model knows.
        padding: Å, beyond every cutoff, so that each radial function is exactly zero there.
    """
    centre, neighbor = graph.edge_index
    n_atoms, device = len(graph.species), graph.species.device
    # one stable sort by (centre, neighbour species) leaves each atom's neighbours of one species adjacent
    key = centre * n_species + graph.species[neighbor]
    key, order = torch.sort(key, stable=True)
    counts = torch.bincount(key, minlength=n_atoms * n_species)
    rank = torch.arange(len(key), device=device) - (counts.cumsum(0) - counts)[key]
    needed = counts.view(n_atoms, n_species).amax(0).tolist() if n_atoms else [0] * n_species
    slots = tuple(needed)
    first = torch.tensor([sum(slots[:s]) for s in range(n_species)], device=device)
    slot, atom = first[key % n_species] + rank, key // n_species

    graph_index = graph.graph_index
    shift = graph.edge_shift[order].to(graph.cell.dtype)
    r = graph.positions[neighbor[order]] - graph.positions[atom] + torch.einsum("ea,eab->eb", shift, graph.cell[graph_index[atom]])

    vectors = r.new_zeros(3, sum(slots), n_atoms)
    vectors[2] = padding
    vectors[:, slot, atom] = r.T
    index = torch.arange(n_atoms, device=device).repeat(sum(slots), 1)
    index[slot, atom] = neighbor[order]
    filled = torch.zeros(sum(slots), n_atoms, dtype=torch.bool, device=device)
    filled[slot, atom] = True
    return Neighborhood(graph.species, vectors, index, filled, slots, graph_index, len(graph.cell))
