"""The compiled node network against the one in tensor operations, with every derivative that the engine takes."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from mlff.nn.native import library
from mlff.nn.node_block import NodeBlock

pytestmark = pytest.mark.skipif(library() is None, reason="no C++ compiler")

# of the largest entry: sums of some 10³ terms of either sign through two layers
TOLERANCE = {torch.float64: 1e-11, torch.float32: 2e-5}
SITES = (70, 1, 3, 17)  # more than one tile, tails, a species with the isolated atom alone


@dataclass(frozen=True)
class Shape:
    n_in: tuple[tuple[int, ...], ...]  # of each piece
    channels: tuple[int, ...]
    n_product: int
    n_layers: int
    n_gram: int
    n_members: int


SHAPES = {
    "l_max 3, one piece, one layer": Shape(((9, 6, 5, 4),), (7, 5, 4, 3), 4, 1, 4, 3),
    "l_max 3, two pieces, two layers": Shape(((6, 5, 4, 3), (4, 3, 2, 1)), (8, 6, 4, 4), 5, 2, 3, 3),
    "l_max 2, two pieces, one member": Shape(((5, 4, 3), (3, 2, 7)), (16, 8, 1), 4, 1, 4, 1),
    "l_max 2, one piece, two layers": Shape(((5, 4, 3),), (5, 2, 3), 3, 2, 0, 3),
}
CASES = [
    pytest.param(shape, dtype, id=f"{name}, {str(dtype).removeprefix('torch.')}") for name, shape in SHAPES.items() for dtype in TOLERANCE
]


class Case:
    """A block of several members; the first piece of its input is the members' in common, the second each one's own."""

    def __init__(self, shape: Shape, dtype: torch.dtype, sites: tuple[int, ...] = SITES):
        self.generator, self.dtype, self.shape, self.sites = torch.Generator().manual_seed(0), dtype, shape, sites
        self.block = NodeBlock(len(sites), [sum(n) for n in zip(*shape.n_in, strict=True)], shape.channels, *self.sizes).to(dtype)
        for module in self.block.modules():
            for name, parameter in list(module.named_parameters(recurse=False)):
                scale = parameter.detach().std(correction=0).clamp(min=0.3).item() if parameter.numel() > 1 else 0.3
                stacked = torch.nn.Parameter(scale * self.randn(shape.n_members, *parameter.shape))
                self.replace(module, name, stacked)
        self.factors = [[0.5 + self.randn(shape.n_members, n).square() for n in piece] for piece in shape.n_in]
        self.values = [self.shells(piece, shared=k == 0) for k, piece in enumerate(shape.n_in)]
        self.rates = [self.shells(piece, shared=False) for piece in shape.n_in]
        self.into, self.into_rates = (self.randn(shape.n_members, self.block.n_invariants, sum(sites)) for _ in range(2))

    @property
    def sizes(self) -> tuple[int, int, int]:
        return self.shape.n_product, self.shape.n_layers, self.shape.n_gram

    @staticmethod
    def replace(module: torch.nn.Module, name: str, parameter: torch.nn.Parameter) -> None:
        if isinstance(module, torch.nn.ParameterList):
            module[int(name)] = parameter
        else:
            setattr(module, name, parameter)

    def randn(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.generator, dtype=torch.float64).to(self.dtype)

    def shells(self, n_in: tuple[int, ...], shared: bool) -> list[Tensor]:
        n = self.shape.n_members
        return [self.randn(1 if shared else n, k, 2 * l + 1, sum(self.sites)).expand(n, -1, -1, -1) for l, k in enumerate(n_in)]

    def leaves(self, pieces: list[list[Tensor]]) -> list[list[Tensor]]:
        return [[a.detach().requires_grad_() for a in piece] for piece in pieces]

    def sources(self, values: list[list[Tensor]]) -> list[tuple[list[Tensor], list[Tensor]]]:
        return list(zip(values, self.factors, strict=True))

    def everything(self) -> dict[str, list[Tensor]]:
        """The rows and their gradients; rows and rates, and the gradients of a function of both."""
        parameters = list(self.block.parameters())
        values = self.leaves(self.values)
        flat = [a for piece in values for a in piece]
        rows = self.block(self.sources(values), self.sites)
        found = {"rows": [rows], "pull-back": torch.autograd.grad(rows, flat, self.into, retain_graph=True)}
        found["gradient"] = torch.autograd.grad(rows, parameters, self.into)
        # densities need no gradient in training, hop densities and all rates of them do
        rates = self.leaves(self.rates)
        hop = [a for piece in (*values[1:], *rates[1:]) for a in piece]
        both = self.block.dual(self.sources([self.values[0], *values[1:]]), [self.rates[0], *rates[1:]], self.sites)
        found["dual"] = both
        found["gradient of the dual"] = torch.autograd.grad(both, [*parameters, *hop], (self.into, self.into_rates), allow_unused=True)
        return found


@pytest.mark.parametrize(("shape", "dtype"), CASES)
def test_equals_tensor_operations(shape, dtype, monkeypatch):
    case = Case(shape, dtype)
    found = case.everything()
    monkeypatch.setenv("MLFF_NATIVE", "0")
    for name, expected in case.everything().items():
        for k, (one, other) in enumerate(zip(found[name], expected, strict=True)):
            error, scale = (one - other).abs().max().item(), other.abs().max().item()
            assert error <= TOLERANCE[dtype] * scale, f"{name} {k}: off by {error:.1e} of {scale:.1e}"


def test_two_threads_give_the_bits_of_one():
    case = Case(SHAPES["l_max 3, two pieces, two layers"], torch.float32, (300, 40, 9))
    before = torch.get_num_threads()
    found = []
    try:
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            found.append(case.everything())
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for name in found[0] for a, b in zip(found[0][name], found[1][name], strict=True))


def test_dual_gradient_by_differences():
    case = Case(Shape(((2, 2, 1), (1, 1, 1)), (2, 2, 1), 2, 2, 2, 2), torch.float64, (3, 1))
    x = [a.contiguous().requires_grad_() for piece in (*case.values, *case.rates) for a in piece]

    def dual(*x: Tensor) -> tuple[Tensor, Tensor]:
        pieces = [list(x[k : k + 3]) for k in range(0, len(x), 3)]
        return case.block.dual(case.sources(pieces[:2]), pieces[2:], case.sites)

    assert torch.autograd.gradcheck(dual, x)


def test_gives_a_species_nothing_of_another():
    case = Case(SHAPES["l_max 3, one piece, one layer"], torch.float64)
    before = case.block(case.sources(case.values), case.sites)
    with torch.no_grad():
        for mix in case.block.mixing:
            mix.weight[:, 2] = torch.nan
    after = case.block(case.sources(case.values), case.sites)
    first = sum(SITES[:2])
    assert after[..., first : first + SITES[2]].isnan().all()
    others = [*range(first), *range(first + SITES[2], sum(SITES))]
    assert torch.equal(before[..., others], after[..., others])


def test_serves_stacks_alone_and_refuses_a_second_derivative():
    case = Case(SHAPES["l_max 2, one piece, two layers"], torch.float64)
    values = case.leaves(case.values)
    rows = case.block(case.sources(values), case.sites)
    assert "Network" in type(rows.grad_fn).__name__
    with pytest.raises(NotImplementedError, match="set MLFF_NATIVE=0 to differentiate them twice"):
        torch.autograd.grad(rows.sum(), values[0][0], create_graph=True)
    single = NodeBlock(len(SITES), case.shape.n_in[0], case.shape.channels, *case.sizes).double()
    rows = single([([a[0] for a in case.values[0]], [f[0] for f in case.factors[0]])], SITES)
    assert "Network" not in type(rows.grad_fn).__name__
