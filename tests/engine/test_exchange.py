"""Gathers between sites and edges, in both forms."""

import pytest
import torch

from mlff.engine.exchange import from_edges, to_edges

N_SITES, N_SLOTS = 37, 6
pytestmark = pytest.mark.usefixtures("form")


@pytest.fixture
def pairs() -> tuple[torch.Tensor, torch.Tensor]:
    """The neighbour in each slot and the slot of the reversed edge: places paired at random, a third of them empty, their own reverse."""
    n = N_SLOTS * N_SITES
    first, second = torch.randperm(n, generator=torch.Generator().manual_seed(0))[: 2 * (n // 3)].view(2, -1)
    reverse = torch.arange(n)
    reverse[first], reverse[second] = second, first
    return (reverse % N_SITES).view(N_SLOTS, N_SITES), reverse.view(N_SLOTS, N_SITES)


@pytest.mark.parametrize("shape", [(), (3,), (2, 5)])
def test_an_edge_holds_its_neighbours_value(shape, pairs):
    neighbor, reverse = pairs
    values = torch.randn(*shape, N_SITES)
    found = to_edges(values, neighbor, reverse)
    assert found.shape == (*shape, N_SLOTS, N_SITES)
    assert all(torch.equal(found[..., s, i], values[..., neighbor[s, i]]) for s in range(N_SLOTS) for i in range(N_SITES))


@pytest.mark.parametrize("shape", [(), (3,), (2, 5)])
def test_an_edge_ends_where_its_reverse_begins(shape, pairs):
    neighbor, reverse = pairs
    values = torch.randn(*shape, N_SLOTS, N_SITES, dtype=torch.float64)
    expected = torch.zeros(*shape, N_SITES, dtype=torch.float64).index_add(-1, neighbor.flatten(), values.flatten(-2))
    # a few terms in another order
    torch.testing.assert_close(from_edges(values, reverse), expected, rtol=1e-14, atol=1e-14)


def test_to_edges_turns_back_into_from_edges(pairs):
    neighbor, reverse = pairs
    values = torch.randn(3, N_SITES, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a: to_edges(a, neighbor, reverse), (values,))


def test_a_sum_that_carries_a_graph_keeps_it(pairs):
    values = torch.randn(3, N_SLOTS, N_SITES, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a: from_edges(a, pairs[1]), (values,))
