"""Gathers between sites and edges, on tensors; formulas and shapes as in `mlff.engine.exchange`. No result carries a graph."""

import ctypes

import torch
from torch import Tensor

from mlff.nn.native.library import Exchange, Library, address


def gather_to_edges(library: Library, values: Tensor, neighbor: Tensor) -> Tensor:
    """(…, n_sites) → (…, n_slots, n_sites)."""
    out = values.new_empty(*values.shape[:-1], *neighbor.shape)
    _call(library, "to_edges", values.shape[:-1], values, neighbor, out)
    return out


def sum_from_edges(library: Library, values: Tensor, reverse: Tensor) -> Tensor:
    """(…, n_slots, n_sites) → (…, n_sites)."""
    assert values.shape[-2:] == reverse.shape
    out = values.new_empty(*values.shape[:-2], values.shape[-1])
    _call(library, "from_edges", values.shape[:-2], values, reverse, out)
    return out


def _call(library: Library, name: str, rows: torch.Size, values: Tensor, index: Tensor, out: Tensor) -> None:
    assert (index.dtype, index.shape[-1]) == (torch.int64, values.shape[-1])
    values, index = values.contiguous(), index.contiguous()
    exchange = Exchange(torch.get_num_threads(), rows.numel(), *index.shape)
    library.call(name, values.dtype, ctypes.byref(exchange), address(values), address(index), address(out))
