"""Vectors of edges, straight from positions."""

import ctypes

import torch
from torch import Tensor

from mlff.nn.native.library import Library, address


class _EdgeVectors(ctypes.Structure):
    """As in interface.h."""

    _fields_ = [
        ("n_threads", ctypes.c_int32),
        *((name, ctypes.c_int64) for name in ("n_atoms", "n_slots", "n_sites", "n_others")),
        ("padding", ctypes.c_double),
        *((name, ctypes.c_void_p) for name in ("site_of_atom", "graph_index", "neighbor", "shift", "filled")),
    ]


def vectors_of(
    library: Library,
    positions: Tensor,
    cells: Tensor,
    padding: float,
    site_of_atom: Tensor,
    graph_index: Tensor,
    neighbor: Tensor,
    shift: Tensor,
    filled: Tensor,
    out: Tensor | None = None,
) -> Tensor:
    """As `mlff.nn.slots.edge_vectors`, of the fields of a `Neighborhood`."""
    positions, cells = positions.contiguous(), cells.contiguous()
    tensors = [tensor.contiguous() for tensor in (site_of_atom, graph_index, neighbor, shift, filled)]
    vectors = positions.new_empty(3, *neighbor.shape) if out is None else out
    assert (vectors.dtype, vectors.shape[1:]) == (positions.dtype, neighbor.shape)
    edges = _EdgeVectors(torch.get_num_threads(), len(positions), *neighbor.shape, 0, padding, *(address(tensor) for tensor in tensors))
    library.call("edge_vectors", positions.dtype, ctypes.byref(edges), address(positions), address(cells), address(vectors))
    return vectors
