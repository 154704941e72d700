"""Readout and message in kernels against the same in tensor operations, with every derivative that the engine takes."""

import pytest
import torch

from mlff.engine import stack
from mlff.engine.heads import message, readout
from mlff.nn.native import library
from tests.contracts.potentials import build

pytestmark = pytest.mark.skipif(library() is None, reason="no C++ compiler")

SITES = (70, 1, 3, 19)  # more than one tile, tails, a species with the isolated atom alone
N_MEMBERS = 3
# of the largest entry: sums of some 10² terms
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}
HEADS = {"readout of lean": ("lean", readout), "readout of lean2": ("lean2", readout), "message of lean2": ("lean2", message)}


def everything(name: str, dtype: torch.dtype) -> dict[str, list[torch.Tensor]]:
    """The output and its pull-back; output and rate, and the gradient of a function of both."""
    architecture, head_of = HEADS[name]
    generator = torch.Generator().manual_seed(0)

    def randn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    model = stack([build(architecture, size="XS").to(dtype) for _ in range(N_MEMBERS)]).architecture.requires_grad_(True)
    head = head_of(model, SITES)
    with torch.no_grad():
        for tensor in model.parameters():
            tensor.add_(0.1 * randn(*tensor.shape))
        for standardize in head.standardize:
            standardize.mean.copy_(randn(*standardize.mean.shape))
            standardize.spread.copy_(0.5 + randn(*standardize.spread.shape).square())
    rows, rates = ([randn(N_MEMBERS, s.mean.shape[1], sum(SITES)).requires_grad_() for s in head.standardize] for _ in range(2))
    value = head(*rows)
    into, into_rate = randn(*value.shape), randn(*value.shape)
    found = {"value": [value], "pull-back": torch.autograd.grad(value, rows, into)}
    both = head.dual(*zip(rows, rates, strict=True))
    parameters = [p for p in model.parameters() if p.requires_grad]
    found["dual"] = both
    found["gradient"] = torch.autograd.grad(both, [*rows, *rates, *parameters], (into, into_rate), allow_unused=True)
    return found


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", HEADS)
def test_equals_tensor_operations(name, dtype, monkeypatch):
    found = everything(name, dtype)
    monkeypatch.setenv("MLFF_NATIVE", "0")
    for what, expected in everything(name, dtype).items():
        for k, (one, other) in enumerate(zip(found[what], expected, strict=True)):
            assert (one is None) == (other is None)
            if other is not None:
                error, scale = (one - other).abs().max().item(), other.abs().max().item()
                assert error <= TOLERANCE[dtype] * scale, f"{what} {k}: off by {error:.1e} of {scale:.1e}"


def test_two_threads_give_the_bits_of_one():
    before = torch.get_num_threads()
    found = []
    try:
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            found.append(everything("readout of lean2", torch.float32))
    finally:
        torch.set_num_threads(before)
    pairs = [pair for what in found[0] for pair in zip(found[0][what], found[1][what], strict=True) if pair[0] is not None]
    assert all(torch.equal(a, b) for a, b in pairs)
