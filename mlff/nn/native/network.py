"""A network in one kernel: its rows, their rates, and the derivatives that the engine takes.

The derivative with respect to inputs and weights is exact and of first order, also for dual numbers: a second one is refused.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mlff.nn.native.library import address, library

LANE_BYTES = 64  # the widest of lanes.h
NO_SECOND_DERIVATIVE = "the compiled networks have first derivatives alone; set MLFF_NATIVE=0 to differentiate them twice"


@dataclass(frozen=True)
class Call:
    """A kernel's operands, kept alive as long as they are needed.

    name: of the kernel; with `_backward`, of its derivative.
    description: its struct; constants: addresses that follow those of the weights and inputs.
    weights: (n_members, n_weights); x: inputs, and then their rates.
    out_shape: (n_members, n_rows, n_sites).
    n_saved: numbers that the derivative needs again.
    alive: whatever else the addresses point to.
    """

    name: str
    description: ctypes.Structure
    constants: tuple[int, ...]
    weights: Tensor
    x: Sequence[Tensor]
    out_shape: tuple[int, int, int]
    n_saved: int
    alive: tuple

    def run(self, suffix: str, *arguments) -> None:
        operands = address(self.weights), table(self.x), *self.constants
        library().call(self.name + suffix, self.weights.dtype, ctypes.byref(self.description), *operands, *arguments)


class Kernel(Protocol):
    """A network of certain sizes on certain sites."""

    def call(self, order: int, weights: Tensor, x: Sequence[Tensor]) -> Call:
        """order: 1 for values alone, 2 with their rates, whose inputs follow those of the values in x."""


class Network(torch.autograd.Function):
    """kernel, order, weights, inputs → rows (n_members, n_rows, n_sites), and their rates where order is 2."""

    @staticmethod
    def forward(ctx, kernel: Kernel, order: int, weights: Tensor, *x: Tensor) -> tuple[Tensor, ...]:
        call = kernel.call(order, weights, x)
        out = tuple(weights.new_empty(call.out_shape) for _ in range(order))
        saved = weights.new_empty(call.n_saved)
        call.run("", address(saved), _values_and_rates(out))
        ctx.call, ctx.saved, ctx.shapes = call, saved, [a.shape for a in (weights, *x)]
        ctx.set_materialize_grads(False)
        return out

    @staticmethod
    def backward(ctx, *into: Tensor | None) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():  # somebody wants a graph of this derivative
            raise NotImplementedError(NO_SECOND_DERIVATIVE)
        call: Call = ctx.call
        into = [call.weights.new_zeros(call.out_shape) if g is None else g.contiguous() for g in into]
        wanted = ctx.needs_input_grad[2:]
        of_weights, *of_x = found = [
            call.weights.new_empty(shape) if want else None for shape, want in zip(ctx.shapes, wanted, strict=True)
        ]
        of_weights = None if of_weights is None else address(of_weights)
        call.run("_backward", address(ctx.saved), _values_and_rates(into), table(of_x), of_weights)
        return None, None, *found


def table(tensors: Sequence[Tensor | None]) -> ctypes.Array:
    """Addresses, null where there is no tensor."""
    return (ctypes.c_void_p * len(tensors))(*(None if a is None else address(a) for a in tensors))


def vectors_of_sites(sites_per_species: Sequence[int], dtype: torch.dtype) -> int:
    """Numbers in the vectors of one row of sites, each species with vectors of its own."""
    lanes = LANE_BYTES // dtype.itemsize
    return sum((n + lanes - 1) // lanes for n in sites_per_species) * lanes


def _values_and_rates(tensors: Sequence[Tensor]) -> ctypes.Array:
    return table([*tensors, *[None] * (2 - len(tensors))])
