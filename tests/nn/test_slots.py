import numpy as np
import pytest
import torch
from ase import Atoms

from mlff.data.dataset import collate, graph_of
from mlff.nn.slots import arrange
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


def test_vectors_and_padding(rng):
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


def test_every_edge_knows_its_reverse(rng):
    graph = graph_of(frame_of(crystal(rng)), tuple(REFERENCE), 5.0)
    hood = arrange(graph, 4, padding=6.0)
    reverse = hood.reverse.flatten()
    assert torch.equal(reverse[reverse], torch.arange(len(reverse)))
    filled = hood.filled.flatten()
    torch.testing.assert_close(hood.vectors.flatten(1)[:, reverse][:, filled], -hood.vectors.flatten(1)[:, filled])
    assert torch.equal(reverse[~filled], torch.arange(len(reverse))[~filled])


def test_a_half_list_is_refused(rng):
    graph = graph_of(frame_of(crystal(rng)), tuple(REFERENCE), 5.0)
    graph.edge_index, graph.edge_shift = graph.edge_index[:, 1:], graph.edge_shift[1:]
    with pytest.raises(ValueError, match="found an edge i → j without its reverse j → i, expected a full neighbour list"):
        _ = arrange(graph, 4, padding=6.0).reverse


def test_pairs_know_their_reverse_without_a_search(rng):
    graph = graph_of(frame_of(crystal(rng)), tuple(REFERENCE), 5.0)
    i, j = graph.edge_index
    shift = graph.edge_shift
    first = (i < j) | ((i == j) & (shift[:, 0] * 81 + shift[:, 1] * 9 + shift[:, 2] > 0))
    graph.edge_index = torch.cat([graph.edge_index[:, first], graph.edge_index[:, first].flip(0)], dim=1)
    graph.edge_shift = torch.cat([shift[first], -shift[first]])
    paired = arrange(graph, 4, padding=6.0, paired=True)
    assert torch.equal(paired.reverse, arrange(graph, 4, padding=6.0).reverse)
