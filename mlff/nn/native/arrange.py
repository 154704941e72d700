"""A graph's edges in padded slots, by counting: each edge is looked at twice, and nothing is sorted."""

import ctypes
from typing import NamedTuple

import torch
from torch import Tensor

from mlff.nn.native.library import Library, address


class _Arrange(ctypes.Structure):
    """As in arrange.cpp."""

    _fields_ = [
        ("n_threads", ctypes.c_int32),
        ("n_species", ctypes.c_int32),
        *((name, ctypes.c_int64) for name in ("n_isolated", "n_atoms", "n_sites", "n_edges", "half", "end_stride", "edge_stride")),
        *((name, ctypes.c_void_p) for name in ("species", "order", "edge_index", "shift")),
    ]


class Slots(NamedTuple):
    """Fields of `Neighborhood` that hold no lengths; `reverse` is None where it was not known."""

    species: Tensor
    sites_per_species: tuple[int, ...]
    site_of_atom: Tensor
    neighbor: Tensor
    shift: Tensor
    filled: Tensor
    slots_per_species: tuple[int, ...]
    reverse: Tensor | None


class Listed(NamedTuple):
    """Edges that are to be arranged: fields of a graph, and arguments of `mlff.nn.slots.arrange`."""

    species: Tensor
    edge_index: Tensor
    edge_shift: Tensor
    n_species: int
    n_isolated: int
    least_slots: int
    half: bool
    order: Tensor | None


def slots_of(library: Library, listed: Listed) -> Slots:
    """Of a graph on the CPU."""
    species, edge_index, edge_shift, n_species, n_isolated, least_slots, half, order = listed
    species, edge_shift = species.contiguous(), edge_shift.int().contiguous()
    order = None if order is None else order.contiguous()
    n_atoms, n_edges = len(species), edge_index.shape[1]
    n_sites = n_atoms + n_species * n_isolated
    problem = _Arrange(
        torch.get_num_threads(),
        n_species,
        *(n_isolated, n_atoms, n_sites, n_edges, half, *edge_index.stride()),
        *(address(species), None if order is None else address(order), edge_index.data_ptr(), address(edge_shift)),
    )
    sites_per_species, slots = (ctypes.c_int64 * n_species)(), (ctypes.c_int64 * n_species)()
    site_species, site_of_atom = species.new_empty(n_sites), species.new_empty(n_atoms)
    rank = torch.empty((1 + half) * n_edges, dtype=torch.int32)
    counts = torch.empty(n_sites * n_species, dtype=torch.int32)
    sites = address(site_species), address(site_of_atom), address(rank), address(counts)
    library.call("count_slots", None, ctypes.byref(problem), ctypes.addressof(sites_per_species), *sites, ctypes.addressof(slots))
    slots[:] = [max(n, least_slots) for n in slots]
    neighbor = species.new_empty(sum(slots), n_sites)
    shift = torch.empty(3, *neighbor.shape, dtype=torch.int32)
    filled = torch.empty(neighbor.shape, dtype=torch.bool)
    reverse = torch.empty_like(neighbor) if half else None
    written = address(neighbor), address(shift), address(filled), None if reverse is None else address(reverse)
    library.call("fill_slots", None, ctypes.byref(problem), *sites, ctypes.addressof(slots), *written)
    return Slots(site_species, tuple(sites_per_species), site_of_atom, neighbor, shift, filled, tuple(slots), reverse)
