"""Which form of the edge stage computes: compiled kernels where they serve, else tensor operations."""

from collections.abc import Sequence

from torch import Tensor

from mlff.engine.native_edges import NativeEdges
from mlff.engine.torch_edges import TorchEdges
from mlff.nn.edge_stage import EdgeStage
from mlff.nn.native.library import library_for

Edges = TorchEdges | NativeEdges


def edges_of(stage: EdgeStage, vectors: Tensor, slots_per_species: Sequence[int]) -> Edges:
    """The edges of one batch; arguments as those of `TorchEdges`."""
    kernels = library_for(vectors)
    if kernels is None:
        return TorchEdges(stage, vectors, slots_per_species)
    return NativeEdges(kernels, stage, vectors, slots_per_species)
