"""Neighbours in padded slots, one block of slots per neighbour species, sites innermost.

The sites are the atoms, sorted by species, and at the end of each species one isolated atom: what a network says of it
is taken off its kind, so that an isolated atom gets exactly its reference energy. Sorting makes everything that depends
on the centre's species a split of contiguous columns.

Each array over edges is (..., n_slots, n_sites): a sum over the neighbours of one species is a sum over a block
of slots, without scatter or atomics, and adjacent sites lie adjacent in memory. Nothing is ever truncated: a
block has as many slots as the atom with most neighbours of that species needs.
"""

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mlff.graph import AtomGraph
from mlff.nn.native.arrange import Listed, Slots, slots_of
from mlff.nn.native.edge_vectors import vectors_of
from mlff.nn.native.library import library_for
from mlff.nn.native.reverse import reverse_of

HALF_LIST = "found an edge i → j without its reverse j → i, expected a full neighbour list; give each pair twice"


@dataclass(frozen=True)
class Neighborhood:
    """What the edge stage of a model sees.

    species: (n_sites,) int64, ascending.
    sites_per_species: how many sites each species has, the isolated atom included; they sum to n_sites.
    site_of_atom: (n_atoms,) int64.
    vectors: (3, n_slots, n_sites), r_j − r_i, Å; an empty slot holds a vector of `padding` length.
    neighbor: (n_slots, n_sites) int64, the site of j; a site's own index where the slot is empty.
    shift: (3, n_slots, n_sites) int32, whole cells; zero where the slot is empty.
    filled: (n_slots, n_sites) bool.
    slots_per_species: how many slots each neighbour species has; they sum to n_slots.
    graph_index: (n_atoms,) int64.
    n_graphs: int.
    """

    species: Tensor
    sites_per_species: tuple[int, ...]
    site_of_atom: Tensor
    vectors: Tensor
    neighbor: Tensor
    shift: Tensor
    filled: Tensor
    slots_per_species: tuple[int, ...]
    graph_index: Tensor
    cell: Tensor

    @property
    def n_graphs(self) -> int:
        return len(self.cell)

    @cached_property
    def reverse(self) -> Tensor:
        """Where the edge j → i of each edge i → j lies, (n_slots, n_sites) int64; see `reverse_slots`."""
        return reverse_slots(self)

    def moved(self, vectors: Tensor, cell: Tensor | None = None) -> "Neighborhood":
        """The same edges with other vectors, and in another cell where it has changed."""
        moved = dataclasses.replace(self, vectors=vectors, cell=self.cell if cell is None else cell)
        if "reverse" in vars(self):
            vars(moved)["reverse"] = self.reverse
        return moved

    def of_atoms(self, values: Tensor) -> Tensor:
        """(…, n_sites) → (…, n_atoms), in the order of the graph."""
        return values.index_select(-1, self.site_of_atom)

    def at_sites(self, values: Tensor) -> Tensor:
        """(…, n_atoms) → (…, n_sites), the isolated atoms zero."""
        return values.new_zeros(*values.shape[:-1], len(self.species)).index_copy(-1, self.site_of_atom, values)

    def beyond_vacuum(self, values: Tensor) -> Tensor:
        """(…, n_sites) → (…, n_atoms), less the value of the isolated atom of the same species."""
        blocks = values.split(list(self.sites_per_species), dim=-1)
        return self.of_atoms(torch.cat([block - block[..., -1:] for block in blocks], dim=-1))


def arrange(
    graph: AtomGraph,
    n_species: int,
    padding: float,
    n_isolated: int = 1,
    least_slots: int = 0,
    half: bool = False,
    order: Tensor | None = None,
) -> Neighborhood:
    """Sort the edges of a graph into slots, with edge vectors in float64.

    Neighbours of one species keep the order of the graph's edges. Where near ones come first (`mlff.geometry.neighbor_list`), kernels
    skip the slots that lie beyond a cutoff for all of some adjacent sites.

    Args:
        n_species: how many species the model knows.
        padding: Å, beyond every cutoff, so that each radial function is exactly zero there.
        n_isolated: isolated atoms at the end of each species; one is what the vacuum is taken off by.
        least_slots: of each neighbour species, empty if need be; a compiled graph takes sizes of 0 and 1 for constants.
        half: whether the graph holds each pair once; its reverse follows from it, and need not be searched.
        order: (n_atoms,) int64, the atoms in the order that the sites of each species take; None for that of the graph.
    """
    library = library_for(graph.positions)
    listed = Listed(graph.species, graph.edge_index, graph.edge_shift, n_species, n_isolated, least_slots, half, order)
    slots = _slots_of(listed) if library is None else slots_of(library, listed)
    hood = Neighborhood(
        species=slots.species,
        sites_per_species=slots.sites_per_species,
        site_of_atom=slots.site_of_atom,
        vectors=graph.positions.new_empty(0),  # they are read off the other fields
        neighbor=slots.neighbor,
        shift=slots.shift,
        filled=slots.filled,
        slots_per_species=slots.slots_per_species,
        graph_index=graph.graph_index,
        cell=graph.cell,
    )
    if slots.reverse is not None:
        vars(hood)["reverse"] = slots.reverse
    return hood.moved(edge_vectors(hood, graph.positions, graph.cell, padding))


def edge_vectors(hood: Neighborhood, positions: Tensor, cell: Tensor, padding: float, out: Tensor | None = None) -> Tensor:
    """r_j + shift @ cell − r_i of the edges of `hood` with its atoms elsewhere, (3, n_slots, n_sites), Å.

    Args:
        positions: (n_atoms, 3), Å.
        cell: (n_graphs, 3, 3) rows, Å.
        padding: Å, the length of the vectors of empty slots.
        out: memory that compiled kernels may write them to.
    """
    library = None if positions.requires_grad or cell.requires_grad else library_for(positions)
    if library is not None:
        edges = hood.site_of_atom, hood.graph_index, hood.neighbor, hood.shift, hood.filled
        return vectors_of(library, positions, cell, padding, *edges, out=out)
    sites = hood.at_sites(positions.T)
    rows = cell[hood.at_sites(hood.graph_index)].permute(1, 2, 0)
    # in a fixed order of additions: compiled kernels give the same numbers
    terms = [hood.shift[a].to(cell.dtype) * rows[a].unsqueeze(1) for a in range(3)]
    offset = terms[0] + terms[1] + terms[2]
    empty = positions.new_tensor([0.0, 0.0, padding]).view(3, 1, 1)
    return torch.where(hood.filled, edge_differences(sites, hood.neighbor) + offset, empty)


def _slots_of(listed: Listed) -> Slots:
    species, edge_index, edge_shift, n_species, n_isolated, least_slots, half, order = listed
    n_atoms, device = len(species), species.device
    order = torch.arange(n_atoms, device=device) if order is None else order
    sites_per_species = (torch.bincount(species, minlength=n_species) + n_isolated).tolist()
    isolated = torch.arange(n_species, device=device).repeat_interleave(n_isolated)
    site_species, origin = torch.sort(torch.cat([species[order], isolated]), stable=True)
    n_sites = len(site_species)
    site_of_listed = torch.empty_like(origin).index_copy(0, origin, torch.arange(n_sites, device=device))[:n_atoms]
    site_of_atom = torch.empty_like(site_of_listed).index_copy(0, order, site_of_listed)

    if half:  # each edge's reverse right after it
        edge_index = torch.stack([edge_index, edge_index.flip(0)], dim=-1).flatten(1)
        edge_shift = torch.stack([edge_shift, -edge_shift], dim=1).flatten(0, 1)
    centre, neighbor = site_of_atom[edge_index]
    # one stable sort by (centre, neighbour species) leaves each atom's neighbours of one species adjacent
    key, sorting = torch.sort(centre * n_species + site_species[neighbor], stable=True)
    counts = torch.bincount(key, minlength=n_sites * n_species)
    rank = torch.arange(len(key), device=device) - (counts.cumsum(0) - counts)[key]
    slots = tuple(counts.view(n_sites, n_species).amax(0).clamp(min=least_slots).tolist())
    first = torch.tensor([sum(slots[:s]) for s in range(n_species)], device=device)
    slot, site = first[key % n_species] + rank, key // n_species

    index = torch.arange(n_sites, device=device).repeat(sum(slots), 1)
    index[slot, site] = neighbor[sorting]
    cells = torch.zeros(3, sum(slots), n_sites, dtype=torch.int32, device=device)
    cells[:, slot, site] = edge_shift[sorting].T.int()
    filled = torch.zeros(sum(slots), n_sites, dtype=torch.bool, device=device)
    filled[slot, site] = True
    reverse = None
    if half:
        place = torch.empty_like(sorting).index_copy(0, sorting, slot * n_sites + site)
        own = torch.arange(index.numel(), device=device)
        reverse = own.index_copy(0, place, place.view(-1, 2).flip(1).flatten()).view_as(index)
    return Slots(site_species, tuple(sites_per_species), site_of_atom, index, cells, filled, slots, reverse)


def edge_differences(values: Tensor, neighbor: Tensor) -> Tensor:
    """x_j − x_i of each edge, (…, n_sites) → (…, n_slots, n_sites); `neighbor` is that of `Neighborhood`."""
    return values[..., neighbor] - values.unsqueeze(-2)


def reverse_slots(hood: Neighborhood) -> Tensor:
    """Where the edge j → i lies that belongs to each edge i → j, so that reactions are gathered and need no atomics.

    Returns:
        (n_slots, n_sites) int64, flat indices slot · n_sites + site; an empty slot points to itself.
    Raises:
        ValueError: an edge has no reverse.
    """
    library = library_for(hood.vectors)
    if library is not None:
        reverse = reverse_of(library, hood.species, hood.neighbor, hood.shift, hood.filled, hood.slots_per_species)
        if reverse is None:
            raise ValueError(HALF_LIST)
        return reverse
    n_sites, device = len(hood.species), hood.species.device
    own = torch.arange(hood.filled.numel(), device=device)
    edge = own[hood.filled.flatten()]
    i, j = edge % n_sites, hood.neighbor.flatten()[edge]
    shift = hood.shift.flatten(1)[:, edge].long()
    span = 2 * int(shift.abs().max()) + 1 if len(edge) else 1

    def code(i: Tensor, j: Tensor, shift: Tensor) -> Tensor:
        number = i * n_sites + j
        for component in shift:
            number = number * span + component + span // 2
        return number

    forward, order = torch.sort(code(i, j, shift))
    backward = code(j, i, -shift)
    place = torch.searchsorted(forward, backward).clamp(max=max(len(edge) - 1, 0))
    if not torch.equal(forward[place], backward):
        raise ValueError(HALF_LIST)
    return own.index_copy(0, edge, edge[order[place]]).view_as(hood.neighbor)
