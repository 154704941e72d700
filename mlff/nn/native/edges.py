"""Sums over slots and their gradients, on tensors; formulas and shapes as in `mlff.engine.torch_edges`."""

import ctypes
from collections.abc import Sequence

import torch
from torch import Tensor

from mlff.nn.edge_stage import EdgeStage
from mlff.nn.native.library import Edges, Library, address, addresses

Shells = list[Tensor]


class EdgeKernels:
    """The kernels of the edges of one batch; no result carries a graph.

    Args:
        stage: the edge stage.
        vectors: (3, n_slots, n_sites), Å, float32 or float64 on the CPU.
        slots_per_species: how many slots each neighbour species has.
    """

    def __init__(self, library: Library, stage: EdgeStage, vectors: Tensor, slots_per_species: Sequence[int]):
        self.library, self.stage, self.vectors = library, stage, vectors.contiguous()
        self.n_species = len(slots_per_species)
        self._slots = (ctypes.c_int64 * len(slots_per_species))(*slots_per_species)

    def densities(self) -> Shells:
        out = self._shells(1, self.n_species)
        self._call("densities", addresses(out))
        return [shell[0] for shell in out]

    def hop(self, weights: Tensor) -> Shells:
        n_members, n_hop = weights.shape[:2]
        weights, out = self._edge_rows(weights, n_members, n_hop), self._shells(n_members, n_hop)
        self._call("hop", n_members, n_hop, address(weights), addresses(out))
        return out

    def into_weights(self, gradients: Shells, n_hop: int) -> Tensor:
        n_members = len(gradients[0])
        gradients, out = self._site_rows(gradients, n_members, n_hop), self._of_edges(n_members, n_hop)
        self._call("into_weights", n_members, n_hop, addresses(gradients), address(out))
        return out

    def pull(self, gradients: Shells, weights: Tensor | None = None, into_hop: Shells | None = None) -> Tensor:
        n_members = len(gradients[0])
        gradients, out = self._site_rows(gradients, n_members, self.n_species), self._of_edges(n_members, 3)
        if weights is None:
            self._call("pull", n_members, addresses(gradients), 0, None, addresses([]), address(out))
        else:
            n_hop = weights.shape[1]
            weights, into_hop = self._edge_rows(weights, n_members, n_hop), self._site_rows(into_hop, n_members, n_hop)
            self._call("pull", n_members, addresses(gradients), n_hop, address(weights), addresses(into_hop), address(out))
        return out

    def density_rates(self, velocities: Tensor) -> Shells:
        n_members = len(velocities)
        velocities, out = self._edge_rows(velocities, n_members, 3), self._shells(n_members, self.n_species)
        self._call("density_rates", n_members, address(velocities), addresses(out))
        return out

    def moving_hop(self, velocities: Tensor, weights: Tensor, weight_rates: Tensor) -> tuple[Shells, Shells]:
        n_members, n_hop = weights.shape[:2]
        velocities = self._edge_rows(velocities, n_members, 3)
        weights, weight_rates = self._edge_rows(weights, n_members, n_hop), self._edge_rows(weight_rates, n_members, n_hop)
        still, moving = self._shells(n_members, n_hop), self._shells(n_members, n_hop)
        edges = (n_members, address(velocities), n_hop, address(weights), address(weight_rates))
        self._call("moving_hop", *edges, addresses(still), addresses(moving))
        return still, moving

    def moving_hop_backward(self, velocities: Tensor, of_still: Shells, of_moving: Shells, n_hop: int) -> tuple[Tensor, Tensor]:
        n_members = len(velocities)
        velocities = self._edge_rows(velocities, n_members, 3)
        of_still, of_moving = self._site_rows(of_still, n_members, n_hop), self._site_rows(of_moving, n_members, n_hop)
        out, out_rates = self._of_edges(n_members, n_hop), self._of_edges(n_members, n_hop)
        gradients = (addresses(of_still), addresses(of_moving))
        self._call("moving_hop_backward", n_members, address(velocities), n_hop, *gradients, address(out), address(out_rates))
        return out, out_rates

    def _call(self, name: str, *arguments) -> None:
        edges = describe(self.stage, self.vectors, self._slots)
        self.library.call(name, self.vectors.dtype, ctypes.byref(edges), *arguments)

    def _shape(self, l: int, n_members: int, n_channels: int) -> tuple[int, ...]:
        return n_members, n_channels * self.stage.n_radial[l], 2 * l + 1, self.vectors.shape[2]

    def _shells(self, n_members: int, n_channels: int) -> Shells:
        return [self.vectors.new_empty(self._shape(l, n_members, n_channels)) for l in range(self.stage.l_max + 1)]

    def _of_edges(self, n_members: int, n_rows: int) -> Tensor:
        return self.vectors.new_empty(n_members, n_rows, *self.vectors.shape[1:])

    def _edge_rows(self, values: Tensor, n_members: int, n_rows: int) -> Tensor:
        return self._as_kernels_read(values, (n_members, n_rows, *self.vectors.shape[1:]))

    def _site_rows(self, shells: Shells, n_members: int, n_channels: int) -> Shells:
        shapes = [self._shape(l, n_members, n_channels) for l in range(self.stage.l_max + 1)]
        return [self._as_kernels_read(shell, shape) for shell, shape in zip(shells, shapes, strict=True)]

    def _as_kernels_read(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        # an address tells a kernel neither shape nor dtype
        assert (tuple(tensor.shape), tensor.dtype, tensor.device) == (shape, self.vectors.dtype, self.vectors.device)
        return tensor.contiguous()


def describe(stage: EdgeStage, vectors: Tensor, slots_per_species: ctypes.Array) -> Edges:
    """What the kernels are told of edges; vectors (3, n_slots, n_sites) and counts are to outlive it."""
    return Edges(
        l_max=stage.l_max,
        n_radial=stage.n_radial,
        r_cut=stage.r_cut,
        n_threads=torch.get_num_threads(),
        n_species=len(slots_per_species),
        n_slots=vectors.shape[1],
        n_sites=vectors.shape[2],
        slots_per_species=ctypes.addressof(slots_per_species),
        vectors=address(vectors),
    )
