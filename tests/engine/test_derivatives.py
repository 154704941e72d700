"""Derivatives of functions against `torch.func`, which computes them in another way."""

import pytest
import torch

from mlff.engine.derivatives import jvp, vjp


def pair(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return x.sin() * y, (x * y.square()).sum(0)


def single(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return x.sin() * y


@pytest.fixture
def points() -> list[torch.Tensor]:
    return list(torch.randn(4, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("function", [pair, single])
def test_pull_back(function, points):
    x, y, *_ = points
    value, back = torch.func.vjp(function, x, y)
    into = torch.cos(value) if function is single else tuple(map(torch.cos, value))
    with torch.no_grad():
        found, found_back = vjp(function, x, y)
        torch.testing.assert_close(found, value)
        torch.testing.assert_close(found_back(into), back(into))


def test_pull_back_to_what_does_not_matter_is_zero(points):
    x, y, *_ = points
    _, back = vjp(lambda a, b: a.square(), x, y)
    assert not back(x)[1].any()


@pytest.mark.parametrize("function", [pair, single])
def test_rate_and_its_gradient(function, points):
    """Of what the function depends on besides its arguments, as the weights of a network."""
    x, y, *rates = points
    weight = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)

    def weighted(a, b):
        value = function(weight * a, b)
        return value if isinstance(value, torch.Tensor) else tuple(value)

    results = []
    for form in (torch.func.jvp, jvp):
        value, rate = form(weighted, (x, y), tuple(rates))
        parts = [value, rate] if function is single else [*value, *rate]
        results.append([*parts, *torch.autograd.grad(sum(part.square().sum() for part in parts), weight)])
    torch.testing.assert_close(results[1], results[0])
