"""The engine against the reference: autograd through `Potential.forward`, member by member."""

import pytest
import torch

from mlff.data.dataset import collate, graph_of
from mlff.engine import Committee, Engine, Reference, member_state, stack
from mlff.graph import Prediction
from tests.checks import frame_of
from tests.contracts.potentials import build, crystal

ENGINE_MODELS = ["lean", "lean2"]


def members(name: str, n: int = 3, **options) -> list:
    """Potentials that differ in all their weights and constants."""
    found = []
    for k in range(n):
        potential = build(name, size="XS", **options)
        generator = torch.Generator().manual_seed(k)
        with torch.no_grad():
            for tensor in [*potential.architecture.parameters(), potential.E0]:
                tensor.add_(0.05 * torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype))
            potential.energy_scale.mul_(1 + 0.1 * k)
        found.append(potential.requires_grad_(True))
    return found


def batch(potential, rng, n: int = 2):
    """Frames of different sizes with random labels."""
    graphs = []
    for k in range(n):
        frame = frame_of(crystal(rng, n=12 - 3 * k))
        graph = graph_of(frame, potential.species, potential.r_max)
        graph.energy, graph.forces = torch.randn(1).double(), torch.randn(len(graph.species), 3).double()
        graph.stress = 0.01 * torch.randn(1, 3, 3).double()
        graph.stress = graph.stress + graph.stress.mT
        graphs.append(graph)
    return collate(graphs)


def loss_of(prediction: Prediction, graph) -> torch.Tensor:
    """Not quadratic, so that its second derivatives do not vanish; energies, forces and stress all count."""
    energy = torch.nn.functional.huber_loss(prediction.energy, graph.energy.expand_as(prediction.energy), reduction="sum", delta=0.5)
    forces = (prediction.forces - graph.forces).square().add(0.01).sqrt().sum()
    return energy + forces + 1e3 * (prediction.stress - graph.stress).square().sum()


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("name", ENGINE_MODELS)
def test_predicts_what_each_member_predicts(name, rng):
    single = members(name)
    graph = batch(single[0], rng)
    together = Engine(stack(single)).predict(graph)
    for k, member in enumerate(single):
        alone = member.eval()(graph)
        for field in ("energy", "energies", "forces", "stress"):
            torch.testing.assert_close(getattr(together, field)[k], getattr(alone, field), rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("name", ENGINE_MODELS)
def test_gradient_is_that_of_double_backward(name, rng):
    single = members(name)
    graph = batch(single[0], rng)
    stacked = stack(single)
    value, _ = Engine(stacked).loss(graph, lambda prediction: loss_of(prediction, graph))
    value.backward()
    total = 0.0
    for k, member in enumerate(single):
        reference = loss_of(member.train()(graph), graph)
        reference.backward()
        total += reference.item()
        gradients = {name: p.grad for name, p in stacked.named_parameters()}
        for parameter_name, parameter in member.named_parameters():
            # spec/model.md §4: equal to 1e-10 of the largest entry
            scale = parameter.grad.abs().max().item()
            torch.testing.assert_close(gradients[parameter_name][k], parameter.grad, rtol=0, atol=1e-10 * scale)
    assert value.item() == pytest.approx(total, rel=1e-12)


def test_a_member_is_found_again():
    single = members("lean2")
    for k, member in enumerate(single):
        for name, tensor in member_state(stack(single), k).items():
            assert torch.equal(tensor, member.state_dict()[name])


def test_refuses_members_that_differ_in_more_than_weights():
    with pytest.raises(ValueError, match="member 1 has another architecture or other options than member 0"):
        stack([build("lean"), build("lean2")])


@pytest.mark.parametrize("name", ["lean", "lean2", "linear", "pair"])
def test_committee_answers_the_mean(name, rng):
    options = {"size": "XS"} if name in ENGINE_MODELS else {}
    single = [build(name, **options) for _ in range(2)]
    with torch.no_grad():
        for parameter in single[1].parameters():
            parameter.add_(0.1)
    graph = batch(single[0], rng)
    together = Committee(single).eval()(graph)
    alone = [potential(graph) for potential in single]
    for field in ("energy", "energies", "forces", "stress"):
        mean = torch.stack([getattr(p, field) for p in alone]).mean(0)
        torch.testing.assert_close(getattr(together, field), mean, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(getattr(together.members, field)[1], getattr(alone[1], field), rtol=1e-12, atol=1e-12)


def test_reference_and_engine_give_the_same_gradient(rng):
    stacked = stack(members("lean2", n=2))
    graph = batch(stacked, rng)
    gradients = []
    for evaluator in (Engine(stacked), Reference(stacked)):
        stacked.zero_grad()
        evaluator.loss(graph, lambda prediction: loss_of(prediction, graph))[0].backward()
        gradients.append({name: p.grad.clone() for name, p in stacked.named_parameters()})
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name], rtol=0, atol=1e-10 * gradient.abs().max().item())


def test_constant_weights_are_packed_once_and_others_each_time(rng):
    potential = stack([build("lean2", size="XS")])
    graph = graph_of(frame_of(crystal(rng)), potential.species, potential.r_max)
    constant, changing = Engine(potential, constant=True), Engine(potential)
    before = changing.predict(graph).forces
    for _ in range(2):
        assert torch.equal(constant.predict(graph).forces, before)
    with torch.no_grad():
        potential.energy_scale.mul_(2)
        next(potential.architecture.parameters()).mul_(1.1)
    assert not torch.allclose(changing.predict(graph).forces, before)
