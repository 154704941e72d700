"""The compiled self-product against the one in tensor operations, with every derivative that the engine takes."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.func import functional_call, jvp, vjp

from mlff.nn.native import library
from mlff.nn.native.product import self_product
from mlff.nn.product import SelfProduct

pytestmark = pytest.mark.skipif(library() is None, reason="no C++ compiler")

N_MEMBERS, N_CHANNELS = 3, 5
# of the largest entry: sums of some 10² terms
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}
Shells = tuple[Tensor, ...]


def shells(l_max: int, n_sites: int, dtype: torch.dtype, seed: int) -> Shells:
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        torch.randn(N_MEMBERS, N_CHANNELS, 2 * l + 1, n_sites, generator=generator, dtype=torch.float64).to(dtype) for l in range(l_max + 1)
    )


def stacked_weights(l_max: int, dtype: torch.dtype) -> Tensor:
    n_paths = len(SelfProduct(l_max, 1).weight)
    return torch.randn(N_MEMBERS, n_paths, N_CHANNELS, generator=torch.Generator().manual_seed(9), dtype=torch.float64).to(dtype)


def in_tensors(product: SelfProduct, weight: Tensor, x: Shells) -> Shells:
    components = torch.stack([component for shell in x for component in shell.unbind(-2)])
    return tuple(functional_call(_Dense(product), {"product.weight": weight}, (components,)))


class _Dense(torch.nn.Module):
    """The form in tensor operations, whatever `SelfProduct.forward` chooses."""

    def __init__(self, product: SelfProduct):
        super().__init__()
        self.product = product

    def forward(self, components: Tensor) -> list[Tensor]:
        return self.product._dense(components)


def everything(multiply: Callable[[Tensor, Shells], Shells], l_max: int, n_sites: int, dtype: torch.dtype) -> dict[str, Shells]:
    """P; its pull-back; P and its rate; and the gradient of a function of both, as training takes it."""
    x, rate, into, into_rate = (shells(l_max, n_sites, dtype, seed) for seed in range(4))
    weight = stacked_weights(l_max, dtype)
    with torch.no_grad():
        value, back = vjp(lambda *a: tuple(multiply(weight, a)), *x)
        pulled = back(into)
    leaves = [weight.requires_grad_(), *(a.requires_grad_() for a in (*x, *rate))]
    both = jvp(lambda *a: tuple(multiply(weight, a)), x, rate)
    total = sum((a * g).sum() for part, gradient in zip(both, (into, into_rate), strict=True) for a, g in zip(part, gradient, strict=True))
    gradients = torch.autograd.grad(total, leaves)
    return {"value": value, "pull-back": pulled, "dual value": both[0], "rate": both[1], "gradient": gradients}


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("n_sites", [1, 16, 37])
@pytest.mark.parametrize("l_max", [0, 1, 2, 3])
def test_equals_tensor_operations(l_max, n_sites, dtype):
    product = SelfProduct(l_max, N_CHANNELS).to(dtype)
    found = everything(self_product, l_max, n_sites, dtype)
    for name, expected in everything(lambda w, x: in_tensors(product, w, x), l_max, n_sites, dtype).items():
        for one, other in zip(found[name], expected, strict=True):
            error, scale = (one - other).abs().max().item(), other.abs().max().item()
            assert error <= TOLERANCE[dtype] * scale, f"{name}: off by {error:.1e} of {scale:.1e}"


def test_two_threads_give_the_bits_of_one():
    before = torch.get_num_threads()
    found = []
    try:
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            found.append(everything(self_product, 3, 100, torch.float32))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for name in found[0] for a, b in zip(found[0][name], found[1][name], strict=True))


@pytest.mark.parametrize("l_max", [1, 3])
def test_derivatives_by_differences(l_max):
    """First and second ones: of every function that stands for a derivative."""
    weight, x = stacked_weights(l_max, torch.float64)[:1, :, :1], [a[:1, :1] for a in shells(l_max, 2, torch.float64, 0)]
    arguments = [a.clone().requires_grad_() for a in (weight, *x)]
    assert torch.autograd.gradcheck(lambda w, *a: tuple(self_product(w, a)), arguments, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(lambda w, *a: tuple(self_product(w, a)), arguments)


def test_serves_stacks_alone(monkeypatch):
    """One potential keeps the tensor form, whose double backward a compiler and `Potential.forward` rely on."""
    product = SelfProduct(2, N_CHANNELS).double()
    x = shells(2, 7, torch.float64, 0)
    single = product([a[0] for a in x])
    assert "_Square" not in type(single[0].grad_fn).__name__
    weight = product.weight.detach().expand(N_MEMBERS, -1, -1).contiguous().requires_grad_()
    together = functional_call(product, {"weight": weight}, (list(x),))
    assert "_Square" in type(together[0].grad_fn).__name__
    monkeypatch.setenv("MLFF_NATIVE", "0")
    assert "_Square" not in type(functional_call(product, {"weight": weight}, (list(x),))[0].grad_fn).__name__
    torch.testing.assert_close(together[1][0], single[1], rtol=1e-12, atol=1e-12)
