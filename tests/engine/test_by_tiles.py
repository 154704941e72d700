"""The evaluation tile by tile against the one stage by stage in tensor operations."""

import numpy as np
import pytest
import torch
from ase import Atoms

from mlff.data.dataset import collate, graph_of
from mlff.engine import Engine, stack
from mlff.engine.by_stages import evaluated_by_stages
from mlff.engine.by_tiles import can_evaluate, evaluated_by_tiles, kernel_model
from mlff.model import Potential
from mlff.nn.native import library
from mlff.nn.native.evaluation import Evaluated, Workspace
from mlff.nn.slots import Neighborhood
from tests.checks import frame_of
from tests.contracts.potentials import REFERENCE, build

pytestmark = pytest.mark.skipif(library() is None, reason="no C++ compiler")

MODELS = ["lean", "lean2"]
# of the largest entry: sums of some 10³ terms
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}
FIELDS = ("energies", "repelled", "forces", "virials")
MANY = ("Li", "P", "S", "Ge", "Cl", "Br", "I")  # more than there are bins


def stacked(
    name: str, n_members: int, dtype: torch.dtype = torch.float64, repulsion: bool = True, species=tuple(REFERENCE), **options
) -> Potential:
    """Members that differ in all their weights and in their scale."""
    members = []
    for k in range(n_members):
        potential = build(name, species, **({"size": "XS"} | options))
        generator = torch.Generator().manual_seed(k)
        for tensor in potential.architecture.parameters():
            tensor.add_(0.02 * torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype))
        potential.energy_scale.mul_(1 + 0.1 * k)
        if not repulsion:
            potential.repulsion = None
        members.append(potential.to(dtype))
    return stack(members)


def edges(potential: Potential, rng: np.random.Generator, n: int = 96) -> Neighborhood:
    """A glass of which one species fills more than a tile, one has a single atom and one has none; then its like, smaller, and an atom."""
    graphs = []
    for n_atoms in (n, n // 3):
        side = 2.6 * n_atoms ** (1 / 3)
        grid = np.stack(np.meshgrid(*[np.arange(np.ceil(n_atoms ** (1 / 3)))] * 3), axis=-1).reshape(-1, 3)[:n_atoms]
        symbols = np.array(["Li"] * n_atoms)
        symbols[-1], symbols[: n_atoms // 5] = "P", "S"
        positions = 2.6 * grid + rng.normal(scale=0.12, size=(n_atoms, 3))
        graphs.append(Atoms(symbols, positions, cell=np.eye(3) * (side + 1), pbc=[True, True, False]))
    graphs.append(Atoms("Li", cell=np.eye(3) * 9.0, pbc=True))
    frames = [graph_of(frame_of(atoms), potential.species, potential.r_max) for atoms in graphs]
    return potential.neighborhood(collate(frames))


def both(potential: Potential, hood: Neighborhood, monkeypatch, virials: bool = True) -> tuple[Evaluated, Evaluated]:
    assert can_evaluate(potential, hood)
    with torch.no_grad():
        found = evaluated_by_tiles(kernel_model(potential), hood, virials, Workspace())
        monkeypatch.setenv("MLFF_NATIVE", "0")
        assert not can_evaluate(potential, hood)
        return found, evaluated_by_stages(potential, hood, virials)


def assert_alike(found: Evaluated, expected: Evaluated, tolerance: float) -> None:
    for field in FIELDS:
        one, other = getattr(found, field), getattr(expected, field)
        assert (one is None) == (other is None), field
        if other is not None:
            assert (one.shape, one.dtype) == (other.shape, other.dtype)
            error, scale = (one - other).abs().max().item(), other.abs().max().item()
            assert error <= tolerance * scale, f"{field}: off by {error:.1e} of {scale:.1e}"


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("n_members", [1, 4])
@pytest.mark.parametrize("name", MODELS)
def test_equals_stages_in_tensor_operations(name, n_members, dtype, rng, monkeypatch):
    potential = stacked(name, n_members, dtype)
    hood = edges(potential, rng)
    assert max(hood.sites_per_species) > 64
    assert min(hood.sites_per_species) == 1
    found, expected = both(potential, hood, monkeypatch)
    assert found.repelled.abs().max() > 1e-3
    assert_alike(found, expected, TOLERANCE[dtype])


@pytest.mark.parametrize("name", MODELS)
def test_without_repulsion_and_virials(name, rng, monkeypatch):
    potential = stacked(name, 2, repulsion=False)
    found, expected = both(potential, edges(potential, rng, 40), monkeypatch, virials=False)
    assert found.repelled is None
    assert found.virials is None
    assert_alike(found, expected, TOLERANCE[torch.float64])


@pytest.mark.parametrize("options", [{"size": "S"}, {"r_cut_ratio": (0.7, 1.0, 0.9, 0.8)}, {"r_max": 2.0}], ids=str)
@pytest.mark.parametrize("name", MODELS)
def test_other_options(name, options, rng, monkeypatch):
    """Larger; cutoffs that do not fall with l; a repulsion that reaches beyond the cutoff."""
    potential = stacked(name, 2, **options)
    assert_alike(*both(potential, edges(potential, rng, 40), monkeypatch), TOLERANCE[torch.float64])


@pytest.mark.parametrize("name", MODELS)
def test_more_species_than_bins(name, rng, monkeypatch):
    potential = stacked(name, 2, species=MANY)
    assert potential.architecture.bins is not None
    assert_alike(*both(potential, edges(potential, rng, 40), monkeypatch), TOLERANCE[torch.float64])


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", MODELS)
def test_same_bits_whatever_threads_and_whatever_came_before(name, dtype, rng):
    potential = stacked(name, 3, dtype)
    large, small = edges(potential, rng), edges(potential, rng, 40)
    workspace, before, found = Workspace(), torch.get_num_threads(), []
    try:
        for n_threads in (1, 2, 3):
            torch.set_num_threads(n_threads)
            with torch.no_grad():
                found.append([evaluated_by_tiles(kernel_model(potential), hood, True, workspace) for hood in (large, small)])
    finally:
        torch.set_num_threads(before)
    for others in found[1:]:
        for one, other in zip(found[0], others, strict=True):
            assert all(torch.equal(getattr(one, field), getattr(other, field)) for field in FIELDS)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_not_a_number_stays_in_its_call(name, rng):
    """A step that blows up says so, and leaves nothing in the memory of the next."""
    engine = Engine(stacked(name, 2))
    hood = edges(engine.potential, rng, 40)
    expected = engine.evaluate(hood)
    vectors = hood.vectors.clone()
    vectors[:, 0, 0] = torch.nan
    assert engine.evaluate(hood.moved(vectors)).energies.isnan().any()
    again = engine.evaluate(hood)
    assert torch.equal(again.energies, expected.energies)
    assert torch.equal(again.forces, expected.forces)


@pytest.mark.parametrize("name", MODELS)
def test_results_are_not_memory_of_the_next_call(name, rng):
    engine = Engine(stacked(name, 2))
    first, second = edges(engine.potential, rng, 40), edges(engine.potential, rng, 40)
    found = engine.evaluate(first)
    kept = found.forces.clone(), found.energies.clone(), found.stress.clone()
    engine.evaluate(second)
    torch.testing.assert_close((found.forces, found.energies, found.stress), kept, rtol=0, atol=0, equal_nan=True)
