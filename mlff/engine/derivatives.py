"""Derivatives of plain functions of tensors, in the form that costs least: `torch.func` where a compiler reads it, else autograd itself.

`torch.func` builds a class for each call of each custom function, 0.1 ms each time, which a small system would mostly wait for.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.autograd import forward_ad

from mlff.nn.tracing import for_compiler


def vjp(function: Callable, *x: Tensor) -> tuple[Tensor | tuple[Tensor, ...], Callable[..., tuple[Tensor, ...]]]:
    """The value of function(*x) and the map from its gradient to those of x, as `torch.func.vjp`; the map serves once."""
    if for_compiler():
        return torch.func.vjp(function, *x)
    leaves = [a.detach().requires_grad_() for a in x]
    with torch.enable_grad():
        value = function(*leaves)

    def back(gradient: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return torch.autograd.grad(value, leaves, gradient, allow_unused=True, materialize_grads=True)

    return value.detach() if isinstance(value, Tensor) else tuple(a.detach() for a in value), back


def jvp(function: Callable, x: Sequence[Tensor], rates: Sequence[Tensor]):
    """The value of function(*x) and its rate, as `torch.func.jvp`, with the graph of whatever else the function depends on."""
    if for_compiler():
        return torch.func.jvp(function, tuple(x), tuple(rates))
    with forward_ad.dual_level():
        value = function(*(forward_ad.make_dual(a, rate) for a, rate in zip(x, rates, strict=True)))
        if isinstance(value, Tensor):
            return tuple(forward_ad.unpack_dual(value))
        return tuple(zip(*(forward_ad.unpack_dual(a) for a in value), strict=True))
