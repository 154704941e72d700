import pytest
import torch

from mlff.engine.exchange import from_edges
from mlff.engine.reference import Reference
from mlff.engine.stack import stack
from mlff.export.compiled.stages import Far, Near, NearForces
from mlff.model.potential import forces_from_edges
from tests.contracts.potentials import build
from tests.engine.test_engine import batch, members


def test_three_stages_with_communication_between_them_are_the_model(rng):
    """What an engine does: h to the edges, ∂E/∂h back along them, and both pulls added."""
    stacked = stack(members("lean2")).requires_grad_(False)
    graph = batch(stacked, rng)
    hood = stacked.neighborhood(graph)
    sizes = [[torch.empty(n) for n in lengths] for lengths in (hood.slots_per_species, hood.sites_per_species)]
    h, rows = Near(stacked)(hood.vectors, *sizes)
    energies, into_edges, into_rows, pull = Far(stacked)(hood.vectors, h[..., hood.neighbor], rows, *sizes)
    pull = pull + NearForces(stacked)(hood.vectors, into_rows, from_edges(into_edges, hood.reverse), *sizes)
    expected = Reference(stacked).predict(graph)
    total = stacked.total_energies(hood, energies)
    torch.testing.assert_close(total, expected.energies, rtol=1e-12, atol=1e-12)
    scale = stacked.energy_scale.view(-1, 1, 1)
    repulsion = torch.stack([_repulsion(member, graph) for member in members("lean2")])
    torch.testing.assert_close(scale * forces_from_edges(pull, hood) + repulsion, expected.forces, rtol=1e-10, atol=1e-11)


def _repulsion(member, graph):
    """Its forces alone: those of the same potential with the network's energy scaled to nothing."""
    member.energy_scale.zero_()
    return member.requires_grad_(False).eval()(graph).forces


def test_a_model_without_a_hop_is_not_split():
    with pytest.raises(ValueError, match="Lean has no hop to split at, expected lean2; export it whole"):
        Near(stack([build("lean", size="XS")]))
