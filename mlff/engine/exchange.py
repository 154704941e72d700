"""Values of sites carried to edges and back: each way a gather, because every edge knows its reverse."""

from typing import Protocol

import torch
from torch import Tensor

from mlff.nn.native.exchange import gather_to_edges, sum_from_edges
from mlff.nn.native.library import library_for
from mlff.nn.slots import Neighborhood


class Carrier(Protocol):
    """How `lean2` brings h of sites to the edges that end there, and ∂E/∂h of edges back: (n_members, n_hop, n_sites) and
    (n_members, n_hop, n_slots, n_sites)."""

    def to_edges(self, h: Tensor) -> Tensor: ...

    def from_edges(self, into_edges: Tensor) -> Tensor: ...


class Within:
    """Within one neighbourhood, whose sites are all the atoms there are."""

    def __init__(self, hood: Neighborhood):
        self.hood = hood

    def to_edges(self, h: Tensor) -> Tensor:
        return to_edges(h, self.hood.neighbor, self.hood.reverse)

    def from_edges(self, into_edges: Tensor) -> Tensor:
        return from_edges(into_edges, self.hood.reverse)


def to_edges(values: Tensor, neighbor: Tensor, reverse: Tensor) -> Tensor:
    """The value of the neighbour in each slot: (…, n_sites) → (…, n_slots, n_sites)."""
    return _ToEdges.apply(values, neighbor, reverse)


def from_edges(values: Tensor, reverse: Tensor) -> Tensor:
    """Σ over the edges that end at each site: (…, n_slots, n_sites) → (…, n_sites).

    An empty slot adds its own value, which has to be zero.
    """
    carries_graph = torch.is_grad_enabled() and values.requires_grad
    kernels = None if carries_graph else library_for(values)
    if kernels is not None:
        return sum_from_edges(kernels, values, reverse)
    return values.flatten(-2)[..., reverse.flatten()].unflatten(-1, reverse.shape).sum(-2)


class _ToEdges(torch.autograd.Function):
    @staticmethod
    def forward(values: Tensor, neighbor: Tensor, reverse: Tensor) -> Tensor:
        kernels = library_for(values)
        return values[..., neighbor] if kernels is None else gather_to_edges(kernels, values, neighbor)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        _, _, reverse = inputs
        ctx.save_for_backward(reverse)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None, None]:
        (reverse,) = ctx.saved_tensors
        return from_edges(gradient, reverse), None, None
