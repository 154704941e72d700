"""Multilayer perceptrons of a stack in one kernel: rows, which may come in pieces, are standardised on the way in.

With x = (rows − mean) / spread: y_0 = W_0 x + b_0 of the site's species, y_k = W_k silu(y_{k−1}) + b_k, and the output is the last of
these, with D x added where there is a direct D. Derivatives as those of `mlff.nn.native.network`.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from mlff.nn.native.library import address, library_for
from mlff.nn.native.network import Call, Network, vectors_of_sites

MOST_HIDDEN, MOST_INPUTS = 4, 2


@dataclass(frozen=True)
class MlpSizes:
    """Widths of the hidden layers, outputs, and whether there is a direct D."""

    hidden: tuple[int, ...]
    n_out: int
    is_direct: bool


class Mlp(ctypes.Structure):
    """As in interface.h."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in ("n_threads", "n_inputs", "n_hidden", "n_species", "is_direct")),
        *((name, ctypes.c_int64) for name in ("n_members", "n_sites", "n_out")),
        ("n_in", ctypes.c_int64 * MOST_INPUTS),
        ("widths", ctypes.c_int64 * MOST_HIDDEN),
        ("sites_per_species", ctypes.c_void_p),
    ]


def can_perceive(weight: Tensor, n_hidden: int, n_inputs: int) -> bool:
    """Whether the kernels serve layers with such a weight, (n_members, n_out, n_in), on the CPU."""
    return weight.dim() == 3 and 0 < n_hidden <= MOST_HIDDEN and n_inputs <= MOST_INPUTS and library_for(weight) is not None


def mlp(sizes: MlpSizes, weights: Tensor, rows: Sequence[Tensor], mean: Tensor, spread: Tensor, sites: Sequence[int]) -> Tensor:
    """(n_members, n_out, n_sites).

    Args:
        weights: (n_members, n_weights), in the order of `Places` in perceptron.h.
        rows: of each piece (n_members, n_in, n_sites), sorted by species.
        mean, spread: (n_members, n_in, 1) of all pieces.
        sites: how many each species has.
    """
    return Network.apply(_Kernel(sizes, tuple(sites), mean, spread), 1, weights, *rows)[0]


def mlp_dual(
    sizes: MlpSizes, weights: Tensor, rows: Sequence[Tensor], rates: Sequence[Tensor], mean: Tensor, spread: Tensor, sites: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """`mlp`, and how it changes as the rows change at `rates`."""
    return Network.apply(_Kernel(sizes, tuple(sites), mean, spread), 2, weights, *rows, *rates)


@dataclass(frozen=True)
class _Kernel:
    sizes: MlpSizes
    sites: tuple[int, ...]
    mean: Tensor
    spread: Tensor

    def call(self, order: int, weights: Tensor, x: Sequence[Tensor]) -> Call:
        sizes, n_species = self.sizes, len(self.sites)
        n_inputs = len(x) // order
        n_in = [a.shape[1] for a in x[:n_inputs]]
        assert weights.shape[1] == n_weights(sizes, sum(n_in), n_species)
        mean, inverse_spread = self.mean.contiguous(), (1 / self.spread).contiguous()
        sites = (ctypes.c_int64 * n_species)(*self.sites)
        return Call(
            name="mlp",
            description=describe(sizes, n_in, len(weights), sites),
            constants=(address(mean), address(inverse_spread)),
            weights=weights.contiguous(),
            x=[a.contiguous() for a in x],
            out_shape=(len(weights), sizes.n_out, sum(self.sites)),
            n_saved=len(weights) * order * sum(sizes.hidden) * vectors_of_sites(self.sites, weights.dtype),
            alive=(mean, inverse_spread, sites),
        )


def describe(sizes: MlpSizes, n_in: Sequence[int], n_members: int, sites: ctypes.Array) -> Mlp:
    """What the kernels are told of a perceptron of inputs with n_in rows each; `sites` are to outlive it."""
    mlp = Mlp(
        n_threads=torch.get_num_threads(),
        n_inputs=len(n_in),
        n_hidden=len(sizes.hidden),
        n_species=len(sites),
        is_direct=sizes.is_direct,
        n_members=n_members,
        n_sites=sum(sites),
        n_out=sizes.n_out,
        sites_per_species=ctypes.addressof(sites),
    )
    mlp.n_in[: len(n_in)] = n_in
    mlp.widths[: len(sizes.hidden)] = sizes.hidden
    return mlp


def n_weights(sizes: MlpSizes, n_in: int, n_species: int) -> int:
    """Of one member; n_in of all inputs."""
    widths = (n_in, *sizes.hidden, sizes.n_out)
    of_layers = sum((before + 1) * after for before, after in pairwise(widths)) + (n_species - 1) * widths[1]
    return of_layers + (sizes.n_out * n_in if sizes.is_direct else 0)
