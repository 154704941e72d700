"""The compiled kernels against the same edges in tensor operations."""

import pytest
import torch

from mlff.engine.native_edges import NativeEdges
from mlff.engine.torch_edges import TorchEdges
from mlff.nn.edge_stage import EdgeStage
from mlff.nn.native import library

pytestmark = pytest.mark.skipif(library() is None, reason="no C++ compiler")

SLOTS = (5, 0, 7, 3)  # a species without neighbours
N_MEMBERS, N_HOP = 3, 5
STAGES = {
    "l_max 0": ((3,), (5.0,)),
    "l_max 1, two cutoffs": ((4, 2), (5.0, 4.0)),
    "l_max 2, three cutoffs": ((8, 6, 5), (4.0, 5.0, 4.5)),
    "l_max 3": ((8, 6, 5, 3), (5.0, 5.0, 5.0, 5.0)),
    "l_max 3, most functions": ((16, 16, 16, 16), (5.0, 4.0, 5.0, 3.0)),
}
# of the largest entry: sums of up to 10² terms of either sign, and Chebyshev polynomials by recursion
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}
PAIRS = [pytest.param(name, dtype, id=f"{name}, {dtype}".replace("torch.", "")) for name in STAGES for dtype in TOLERANCE]


class Case:
    """Edges with empty slots, among them one that is empty everywhere, and neighbours beyond some of the cutoffs or all."""

    def __init__(self, stage: str, dtype: torch.dtype, n_sites: int = 37, slots: tuple[int, ...] = SLOTS):
        n_radial, r_cut = STAGES[stage]
        generator = torch.Generator().manual_seed(0)

        def randn(*shape: int) -> torch.Tensor:
            return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

        n_slots = sum(slots)
        vectors = 2 * randn(3, n_slots, n_sites)
        empty = torch.rand(n_slots, n_sites, generator=generator) < 0.4
        empty[3:4] = True
        vectors[:, empty] = torch.tensor([0.0, 0.0, 6.0], dtype=dtype)[:, None]
        self.n_radial, self.empty = n_radial, empty
        self.arguments = (EdgeStage(n_radial, r_cut), vectors, slots)
        self.weights, self.weight_rates = randn(N_MEMBERS, N_HOP, n_slots, n_sites), randn(N_MEMBERS, N_HOP, n_slots, n_sites)
        self.velocities = randn(N_MEMBERS, 3, n_slots, n_sites)
        self.gradients = [randn(N_MEMBERS, len(slots) * k, 2 * l + 1, n_sites) for l, k in enumerate(n_radial)]
        self.into_hop, self.into_rates = (
            [randn(N_MEMBERS, N_HOP * k, 2 * l + 1, n_sites) for l, k in enumerate(n_radial)] for _ in range(2)
        )

    def tensors(self) -> TorchEdges:
        return TorchEdges(*self.arguments)

    def native(self) -> NativeEdges:
        return NativeEdges(library(), *self.arguments)

    def everything(self, edges) -> dict[str, list[torch.Tensor]]:
        """What every method gives."""
        moving = edges.moving(self.velocities)
        weights, weight_rates = self.weights.clone().requires_grad_(), self.weight_rates.clone().requires_grad_()
        still, rates = moving.hop(weights, weight_rates)
        value = sum((a * g).sum() for a, g in zip([*still, *rates], [*self.into_hop, *self.into_rates], strict=True))
        return {
            "densities": edges.densities(),
            "hop": edges.hop(self.weights),
            "into_weights": [edges.into_weights(self.weights, self.into_hop)],
            "pull": [edges.pull(self.gradients)],
            "pull with a hop": [edges.pull(self.gradients, self.weights, self.into_hop)],
            "rates of densities": moving.densities(),
            "moving hop": [*still, *rates],
            "moving hop backwards": list(torch.autograd.grad(value, (weights, weight_rates))),
        }


def assert_equal(found, expected, relative: float) -> None:
    for name, tensors in expected.items():
        assert len(found[name]) == len(tensors)
        for one, other in zip(found[name], tensors, strict=True):
            torch.testing.assert_close(
                one, other, rtol=0, atol=relative * other.abs().max().item(), msg=lambda text, name=name: name + text
            )


@pytest.mark.parametrize(("stage", "dtype"), PAIRS)
def test_equals_tensor_operations(stage, dtype):
    case = Case(stage, dtype)
    assert_equal(case.everything(case.native()), case.everything(case.tensors()), TOLERANCE[dtype])


@pytest.mark.parametrize("n_sites", [1, 7, 8, 16, 33])
def test_any_number_of_sites(n_sites):
    case = Case("l_max 3", torch.float32, n_sites)
    assert_equal(case.everything(case.native()), case.everything(case.tensors()), TOLERANCE[torch.float32])


def test_atoms_without_neighbours():
    case = Case("l_max 3", torch.float64, slots=(0, 0))
    found = case.everything(case.native())
    assert found["pull"][0].shape == (N_MEMBERS, 3, 0, 37)
    assert not any(shell.any() for name in ("densities", "hop", "rates of densities", "moving hop") for shell in found[name])


def test_two_threads_give_the_bits_of_one():
    case = Case("l_max 2, three cutoffs", torch.float32, n_sites=100)
    before = torch.get_num_threads()
    found = []
    try:
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            found.append(case.everything(case.native()))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for name in found[0] for a, b in zip(found[0][name], found[1][name], strict=True))


def test_nothing_pulls_at_an_empty_slot():
    case = Case("l_max 3", torch.float64)
    assert not case.native().pull(case.gradients, case.weights, case.into_hop)[:, :, case.empty].any()


def test_gradient_of_the_hop_by_differences():
    case = Case("l_max 1, two cutoffs", torch.float64, n_sites=3)
    edges = case.native()
    weights, rates = case.weights.requires_grad_(), case.weight_rates.requires_grad_()
    assert torch.autograd.gradcheck(lambda h: tuple(edges.hop(h)), (weights,))
    moving = edges.moving(case.velocities)
    assert torch.autograd.gradcheck(lambda h, dh: tuple(a for part in moving.hop(h, dh) for a in part), (weights, rates))


def test_what_is_no_number_is_seen():
    case = Case("l_max 1, two cutoffs", torch.float32)
    case.arguments[1][0, 0, 20] = torch.nan
    for shells in (case.native().densities(), case.native().hop(case.weights)):
        assert all(shell[..., 20].isnan().any() and shell[..., :20].isfinite().all() for shell in shells)
