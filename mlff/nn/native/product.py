"""The self-product of stacked features and all its derivatives, as functions that autograd and torch.func can differentiate.

Each is one derivative of T(g, x, y; w) of `coupling_source`, and so is each of their derivatives: the set is closed, to any order.
Shells are one tensor (n_members, n_channels, 2l+1, n_sites) for each l; weights are (n_members, n_paths, n_channels).
"""

import ctypes
from collections.abc import Sequence

import torch
from torch import Tensor

from mlff.nn.native.library import Product, address, addresses, library, library_for
from mlff.nn.self_coupling import self_coupling

Shells = tuple[Tensor, ...]


def can_multiply(weight: Tensor) -> bool:
    """Whether the kernels serve a product with these weights: of a stack, on the CPU."""
    return weight.dim() == 3 and library_for(weight) is not None


def self_product(weight: Tensor, shells: Sequence[Tensor]) -> list[Tensor]:
    """P of `SelfProduct`, for each l."""
    return list(_Square.apply(weight, *shells))


class _Square(torch.autograd.Function):
    """P(x; w) = D(x, x; w) / 2."""

    @staticmethod
    def forward(weight: Tensor, *x: Tensor) -> Shells:
        return _run("square", weight, x)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)
        # the rate of a weight that does not move would otherwise arrive as zeros and be multiplied by
        ctx.set_materialize_grads(False)

    @staticmethod
    def backward(ctx, *g: Tensor | None):
        weight, *x = ctx.saved_tensors
        g = _filled(g, x)
        of_weight = _IntoWeights.apply(*g, *x, *x) / 2 if ctx.needs_input_grad[0] else None
        return of_weight, *(_Adjoint.apply(weight, *g, *x) if any(ctx.needs_input_grad[1:]) else [None] * len(x))

    @staticmethod
    def jvp(ctx, weight_rate: Tensor | None, *x_rate: Tensor | None):
        weight, *x = ctx.saved_tensors
        rates = _Couple.apply(weight, *x, *_filled(x_rate, x))
        if weight_rate is None:
            return rates
        return tuple(a + b for a, b in zip(rates, _Square.apply(weight_rate, *x), strict=True))


class _Couple(torch.autograd.Function):
    """∂T/∂g = D(x, y; w)."""

    @staticmethod
    def forward(weight: Tensor, *xy: Tensor) -> Shells:
        return _run("couple", weight, *_parts(xy, 2))

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, *g: Tensor):
        weight, *xy = ctx.saved_tensors
        x, y = _parts(xy, 2)
        of_weight = _IntoWeights.apply(*g, *x, *y) if ctx.needs_input_grad[0] else None
        of_x = _Adjoint.apply(weight, *g, *y) if any(ctx.needs_input_grad[1 : 1 + len(x)]) else [None] * len(x)
        of_y = _Adjoint.apply(weight, *g, *x) if any(ctx.needs_input_grad[1 + len(x) :]) else [None] * len(y)
        return of_weight, *of_x, *of_y


class _Adjoint(torch.autograd.Function):
    """∂T/∂x of (g, y; w)."""

    @staticmethod
    def forward(weight: Tensor, *gy: Tensor) -> Shells:
        return _run("adjoint", weight, *_parts(gy, 2))

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, *x: Tensor):
        weight, *gy = ctx.saved_tensors
        g, y = _parts(gy, 2)
        return _IntoWeights.apply(*g, *x, *y), *_Couple.apply(weight, *x, *y), *_Adjoint.apply(weight, *g, *x)


class _IntoWeights(torch.autograd.Function):
    """∂T/∂w of (g, x, y)."""

    @staticmethod
    def forward(*gxy: Tensor) -> Tensor:
        g, x, y = (_contiguous(part) for part in _parts(gxy, 3))
        n_paths = sum(self_coupling(len(g) - 1).paths_per_l)
        out = g[0].new_empty(len(g[0]), n_paths, g[0].shape[1])
        _call("into_path_weights", g, addresses(g), addresses(x), addresses(y), address(out))
        return out

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, weight: Tensor):
        g, x, y = _parts(ctx.saved_tensors, 3)
        return *_Couple.apply(weight, *x, *y), *_Adjoint.apply(weight, *g, *y), *_Adjoint.apply(weight, *g, *x)


def _filled(tensors: Sequence[Tensor | None], like: Sequence[Tensor]) -> Shells:
    return tuple(torch.zeros_like(b) if a is None else a for a, b in zip(tensors, like, strict=True))


def _parts(tensors: Sequence[Tensor], n: int) -> list[Shells]:
    size = len(tensors) // n
    return [tuple(tensors[i * size : (i + 1) * size]) for i in range(n)]


def _contiguous(shells: Sequence[Tensor]) -> Shells:
    return tuple(shell.contiguous() for shell in shells)


def _run(name: str, weight: Tensor, *operands: Sequence[Tensor]) -> Shells:
    operands, weight = [_contiguous(shells) for shells in operands], weight.contiguous()
    out = tuple(torch.empty_like(shell) for shell in operands[0])
    _call(name, operands[0], *(addresses(shells) for shells in operands), address(weight), addresses(out))
    return out


def _call(name: str, shells: Shells, *arguments) -> None:
    n_members, n_channels, _, n_sites = shells[0].shape
    product = Product(l_max=len(shells) - 1, n_threads=torch.get_num_threads(), n_members=n_members, n_channels=n_channels, n_sites=n_sites)
    library().call(name, shells[0].dtype, ctypes.byref(product), *arguments)
