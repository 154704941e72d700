"""Multilayer perceptrons of a stack in one kernel: rows, which may come in pieces, are standardised on the way in.

With x = (rows − mean) / spread: y_0 = W_0 x + b_0 of the site's species, y_k = W_k silu(y_{k−1}) + b_k, and the output is the last of
these, with D x added where there is a direct D. Derivatives as those of `mlff.nn.native.block`: exact, and of first order.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from mlff.nn.native.block import LANE_BYTES, NO_SECOND_DERIVATIVE, table
from mlff.nn.native.library import address, library, library_for

MOST_HIDDEN, MOST_INPUTS = 4, 2


@dataclass(frozen=True)
class MlpSizes:
    """Widths of the hidden layers, outputs, and whether there is a direct D."""

    hidden: tuple[int, ...]
    n_out: int
    is_direct: bool


class _Mlp(ctypes.Structure):
    """As in mlp.cpp."""

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
        weights: (n_members, n_weights), in the order of `Places` in mlp.cpp.
        rows: of each piece (n_members, n_in, n_sites), sorted by species.
        mean, spread: (n_members, n_in, 1) of all pieces.
        sites: how many each species has.
    """
    return _Perceptron.apply(sizes, tuple(sites), 1, mean, spread, weights, *rows)[0]


def mlp_dual(
    sizes: MlpSizes, weights: Tensor, rows: Sequence[Tensor], rates: Sequence[Tensor], mean: Tensor, spread: Tensor, sites: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """`mlp`, and how it changes as the rows change at `rates`."""
    return _Perceptron.apply(sizes, tuple(sites), 2, mean, spread, weights, *rows, *rates)[:2]


class _Perceptron(torch.autograd.Function):
    """The output, its rates where order is 2, and the hidden layers, which the derivative needs again."""

    @staticmethod
    def forward(sizes: MlpSizes, sites: tuple[int, ...], order: int, mean: Tensor, spread: Tensor, weights: Tensor, *x: Tensor):
        call = _Call(sizes, sites, order, mean, spread, weights, x)
        out = tuple(weights.new_empty(len(weights), sizes.n_out, sum(sites)) for _ in range(order))
        saved = weights.new_empty(call.n_saved)
        call.run("mlp", address(saved), table([*out, *[None] * (2 - order)]))
        return *out, saved

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.sizes, ctx.sites, ctx.order, *tensors = inputs
        ctx.mark_non_differentiable(output[-1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(output[-1], *tensors)

    @staticmethod
    def backward(ctx, *into: Tensor | None):
        saved, *tensors = ctx.saved_tensors
        shape = len(tensors[0]), ctx.sizes.n_out, sum(ctx.sites)
        into = [tensors[2].new_zeros(shape) if g is None else g for g in into[: ctx.order]]
        wanted = ctx.needs_input_grad[5:]
        found = _Pull.apply(ctx.sizes, ctx.sites, ctx.order, wanted, saved, *into, *tensors)
        return *[None] * 5, *(gradient if want else None for gradient, want in zip(found, wanted, strict=True))


class _Pull(torch.autograd.Function):
    """Gradients of the weights and of each input; an empty tensor where none is wanted."""

    @staticmethod
    def forward(sizes: MlpSizes, sites: tuple[int, ...], order: int, wanted: tuple[bool, ...], saved: Tensor, *into_and_tensors: Tensor):
        into, (mean, spread, weights, *x) = [g.contiguous() for g in into_and_tensors[:order]], into_and_tensors[order:]
        call = _Call(sizes, sites, order, mean, spread, weights, x)
        found = tuple(torch.empty(a.shape if want else 0, dtype=a.dtype) for a, want in zip((weights, *x), wanted, strict=True))
        of_weights, *of_x = [gradient if want else None for gradient, want in zip(found, wanted, strict=True)]
        into_table = table([*into, *[None] * (2 - order)])
        call.run("mlp_backward", address(saved), into_table, table(of_x), None if of_weights is None else address(of_weights))
        return found

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        pass

    @staticmethod
    def backward(ctx, *_):
        raise NotImplementedError(NO_SECOND_DERIVATIVE)


class _Call:
    """One call's arguments, kept alive as long as it lasts."""

    def __init__(self, sizes: MlpSizes, sites: tuple[int, ...], order: int, mean: Tensor, spread: Tensor, weights: Tensor, x):
        n_inputs = len(x) // order
        widths = (sum(a.shape[1] for a in x[:n_inputs]), *sizes.hidden, sizes.n_out)
        n_weights = sum((n_in + 1) * n_out for n_in, n_out in pairwise(widths)) + (len(sites) - 1) * widths[1]
        assert weights.shape[1] == n_weights + (sizes.n_out * widths[0] if sizes.is_direct else 0)
        self.weights, self.x = weights.contiguous(), [a.contiguous() for a in x]
        self.mean, self.inverse_spread = mean.contiguous(), (1 / spread).contiguous()
        self.sites = (ctypes.c_int64 * len(sites))(*sites)
        self.mlp = _Mlp(
            n_threads=torch.get_num_threads(),
            n_inputs=n_inputs,
            n_hidden=len(sizes.hidden),
            n_species=len(sites),
            is_direct=sizes.is_direct,
            n_members=len(weights),
            n_sites=sum(sites),
            n_out=sizes.n_out,
            sites_per_species=ctypes.addressof(self.sites),
        )
        self.mlp.n_in[:n_inputs] = [a.shape[1] for a in x[:n_inputs]]
        self.mlp.widths[: len(sizes.hidden)] = sizes.hidden
        lanes = LANE_BYTES // weights.element_size()
        self.n_saved = len(weights) * order * sum(sizes.hidden) * sum((n + lanes - 1) // lanes for n in sites) * lanes

    def run(self, name: str, *arguments) -> None:
        operands = address(self.weights), table(self.x), address(self.mean), address(self.inverse_spread)
        library().call(name, self.weights.dtype, ctypes.byref(self.mlp), *operands, *arguments)
