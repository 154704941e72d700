import numpy as np
import pytest
import torch
from ase import Atoms

from mlff.data.dataset import collate, graph_of
from mlff.graph import AtomGraph
from mlff.nn.native import library
from mlff.nn.slots import arrange, edge_vectors, reverse_slots
from tests.checks import frame_of
from tests.contracts.potentials import REFERENCE, crystal


def graphs(rng):
    species = tuple(REFERENCE)
    return [graph_of(frame_of(atoms), species, 4.0) for atoms in (crystal(rng), Atoms("Li"), crystal(rng, 7))]


def test_every_edge_has_one_slot_of_its_species(rng):
    graph = collate(graphs(rng))
    hood = arrange(graph, 4, padding=9.0)
    assert int(hood.filled.sum()) == graph.edge_index.shape[1]
    assert sum(hood.slots_per_species) == len(hood.neighbor)
    first = 0
    for s, n in enumerate(hood.slots_per_species):
        block = slice(first, first + n)
        assert (hood.species[hood.neighbor[block]][hood.filled[block]] == s).all()
        # no more slots than the atom with most neighbours needs
        assert n == int(hood.filled[block].sum(0).max())
        first += n
    atom_of = hood.at_sites(torch.arange(len(hood.site_of_atom)))
    centre = atom_of.expand_as(hood.neighbor)
    pairs = sorted(zip(centre[hood.filled].tolist(), atom_of[hood.neighbor[hood.filled]].tolist(), strict=True))
    assert pairs == sorted(map(tuple, graph.edge_index.T.tolist()))


def test_vectors_and_padding(form, rng):
    graph = graphs(rng)[0]
    hood = arrange(graph, 4, padding=9.0)
    i, j = graph.edge_index
    r = graph.positions[j] - graph.positions[i] + graph.edge_shift.double() @ graph.cell[0]
    found = hood.vectors[:, hood.filled].T
    order = [np.lexsort(np.round(v.numpy(), 8).T) for v in (found, r)]
    torch.testing.assert_close(found[order[0]], r[order[1]])
    assert (hood.vectors[:, ~hood.filled].norm(dim=0) == 9.0).all()


def test_sites_are_sorted_and_each_species_ends_in_an_isolated_atom(rng):
    graph = collate(graphs(rng))
    hood = arrange(graph, 4, padding=9.0)
    assert hood.species.tolist() == sorted(hood.species.tolist())
    assert list(hood.sites_per_species) == torch.bincount(hood.species).tolist()
    assert torch.equal(hood.species[hood.site_of_atom], graph.species)
    isolated = np.cumsum(hood.sites_per_species) - 1
    assert not set(isolated) & set(hood.site_of_atom.tolist())
    assert not hood.filled[:, isolated].any()
    assert hood.species[isolated].tolist() == [0, 1, 2, 3]


def test_values_go_to_the_sites_and_back(rng):
    graph = collate(graphs(rng))
    hood = arrange(graph, 4, padding=9.0)
    values = torch.randn(3, len(graph.species))
    at_sites = hood.at_sites(values)
    assert torch.equal(hood.of_atoms(at_sites), values)
    assert torch.equal(
        hood.beyond_vacuum(at_sites + 2.0 * hood.species), (at_sites + 2.0 * hood.species - 2.0 * hood.species)[:, hood.site_of_atom]
    )


def test_every_edge_knows_its_reverse(form, rng):
    graph = graph_of(frame_of(crystal(rng)), tuple(REFERENCE), 5.0)
    hood = arrange(graph, 4, padding=6.0)
    reverse = hood.reverse.flatten()
    assert torch.equal(reverse[reverse], torch.arange(len(reverse)))
    filled = hood.filled.flatten()
    torch.testing.assert_close(hood.vectors.flatten(1)[:, reverse][:, filled], -hood.vectors.flatten(1)[:, filled])
    assert torch.equal(reverse[~filled], torch.arange(len(reverse))[~filled])


def test_a_half_list_is_refused(form, rng):
    graph = graph_of(frame_of(crystal(rng)), tuple(REFERENCE), 5.0)
    graph.edge_index, graph.edge_shift = graph.edge_index[:, 1:], graph.edge_shift[1:]
    with pytest.raises(ValueError, match="found an edge i → j without its reverse j → i, expected a full neighbour list"):
        _ = arrange(graph, 4, padding=6.0).reverse


def half_of(graph):
    """Each pair once."""
    i, j = graph.edge_index
    first = (i < j) | ((i == j) & (graph.edge_shift @ torch.tensor([81, 9, 1], dtype=torch.int32) > 0))
    half = graph.clone()
    half.edge_index, half.edge_shift = graph.edge_index[:, first], graph.edge_shift[first]
    return half


def test_pairs_know_their_reverse_without_a_search(form, rng):
    graph = graph_of(frame_of(crystal(rng)), tuple(REFERENCE), 5.0)
    paired = arrange(half_of(graph), 4, padding=6.0, half=True)
    assert 2 * half_of(graph).edge_index.shape[1] == graph.edge_index.shape[1]
    assert int(paired.filled.sum()) == graph.edge_index.shape[1]
    assert torch.equal(paired.reverse, reverse_slots(paired))


def test_an_order_of_atoms_is_that_of_the_sites_of_each_species(form, rng):
    graph = collate(graphs(rng))
    order = torch.from_numpy(rng.permutation(len(graph.species)))
    hood = arrange(graph, 4, padding=9.0, order=order)
    for s in range(4):
        listed = hood.site_of_atom[order][graph.species[order] == s]
        assert torch.equal(listed, listed.sort().values)
    assert torch.equal(hood.species[hood.site_of_atom], graph.species)
    assert not torch.equal(hood.site_of_atom, arrange(graph, 4, padding=9.0).site_of_atom)


def scattered(rng, n_atoms: int, n_graphs: int, used: list[int]) -> AtomGraph:
    """Graphs of edges at random, each with its reverse, in random order: images of an atom itself, many of one neighbour, or none."""
    sizes = rng.multinomial(n_atoms, np.full(n_graphs, 1 / n_graphs))
    offset = np.cumsum(sizes) - sizes
    rows = []
    for size, begin in zip(sizes, offset, strict=True):
        if size:
            ends = begin + rng.integers(0, max(1, size - 1), size=(2, 6 * size))  # the last one has no neighbour unless it is alone
            rows.append(np.concatenate([ends, rng.integers(-4, 5, size=(3, ends.shape[1]))]).T)
    pairs = np.unique(np.concatenate(rows), axis=0)
    pairs = pairs[(pairs[:, 0] != pairs[:, 1]) | pairs[:, 2:].any(1)]
    both = np.unique(np.concatenate([pairs, np.concatenate([pairs[:, [1, 0]], -pairs[:, 2:]], axis=1)]), axis=0)
    both = torch.from_numpy(rng.permutation(both))
    return AtomGraph(
        num_nodes=n_atoms,
        species=torch.from_numpy(rng.choice(used, size=n_atoms)),
        positions=torch.from_numpy(rng.normal(scale=5.0, size=(n_atoms, 3))),
        cell=torch.from_numpy(rng.normal(scale=3.0, size=(n_graphs, 3, 3))),
        edge_index=both[:, :2].T,
        edge_shift=both[:, 2:].int(),
        batch=torch.from_numpy(np.repeat(np.arange(n_graphs), sizes)),
    )


@pytest.mark.skipif(library() is None, reason="no C++ compiler")
@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(
    ("n_atoms", "n_graphs", "used", "options"),
    [
        (1, 1, [2], {}),
        (2, 1, [0, 3], {"least_slots": 2, "n_isolated": 2}),
        (40, 1, [0, 1, 2, 3], {}),
        (90, 3, [1, 2], {"n_isolated": 3}),
        (300, 5, [0, 1, 3], {"least_slots": 40}),
        (70, 2, [0], {"n_isolated": 0}),
    ],
)
def test_kernels_and_tensors_give_the_same_slots(n_atoms, n_graphs, used, options, half, n_threads, rng, monkeypatch):
    graph = scattered(rng, n_atoms, n_graphs, used)
    graph = half_of(graph) if half else graph
    orders = None, torch.from_numpy(rng.permutation(n_atoms))
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        kernels = [arrange(graph, 4, padding=9.0, half=half, order=order, **options) for order in orders]
        reverses = [hood.reverse for hood in kernels]
    finally:
        torch.set_num_threads(before)
    monkeypatch.setenv("MLFF_NATIVE", "0")
    for order, hood, reverse in zip(orders, kernels, reverses, strict=True):
        tensors = arrange(graph, 4, padding=9.0, half=half, order=order, **options)
        for name in ("species", "site_of_atom", "neighbor", "shift", "filled", "vectors"):
            ours, theirs = getattr(hood, name), getattr(tensors, name)
            assert ours.dtype == theirs.dtype
            assert torch.equal(ours, theirs), name
        assert (hood.sites_per_species, hood.slots_per_species) == (tensors.sites_per_species, tensors.slots_per_species)
        assert torch.equal(reverse, tensors.reverse)
        # what the tensors find by a search, too
        assert torch.equal(reverse, reverse_slots(tensors))


def test_vectors_follow_atoms_and_cells(form, rng):
    graph = collate(graphs(rng))
    hood = arrange(graph, 4, padding=9.0)
    moved = graph.clone()
    moved.positions = graph.positions + torch.from_numpy(rng.normal(size=graph.positions.shape))
    moved.cell = graph.cell + torch.from_numpy(rng.normal(size=graph.cell.shape))
    expected = arrange(moved, 4, padding=9.0).vectors
    assert torch.equal(edge_vectors(hood, moved.positions, moved.cell, 9.0), expected)
    assert not torch.equal(edge_vectors(hood, moved.positions, graph.cell, 9.0), expected)


def test_positions_that_carry_a_graph_keep_it(rng):
    graph = graphs(rng)[0]
    graph.positions.requires_grad_()
    hood = arrange(graph, 4, padding=9.0)
    (gradient,) = torch.autograd.grad(hood.vectors[0].sum(), graph.positions)
    # each pair pulls both ways
    torch.testing.assert_close(gradient, torch.zeros_like(gradient))
    assert hood.vectors.requires_grad
