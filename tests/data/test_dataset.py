from itertools import chain

import numpy as np
import pytest
import torch
from ase import Atoms

from mlff.data.dataset import AtomBudgetSampler, FrameDataset, collate, graph_of
from tests.checks import frame_of
from tests.contracts.potentials import crystal


def test_a_graph_holds_the_frame(rng):
    graph = graph_of(frame_of(crystal(rng)), ("S", "Li", "Ge", "P"), 4.0, frame_id=7)
    assert graph.species[:4].tolist() == [1, 3, 0, 2]
    assert graph.positions.dtype == graph.cell.dtype == torch.float64
    assert not graph.has_energy.any()
    assert graph.energy.isnan().all()
    assert graph.forces.isnan().all()
    assert graph.frame_id.tolist() == [7]


def test_unknown_species_names_frame_and_remedy(rng):
    with pytest.raises(
        ValueError, match=r"memory, frame 0 holds P, Ge, but the model was trained on Li, S; add the species to `data.species`|Ge, P"
    ):
        graph_of(frame_of(crystal(rng)), ("Li", "S"), 4.0)


def test_batches_keep_edges_apart(rng):
    data = FrameDataset([frame_of(crystal(rng)), frame_of(Atoms("Li")), frame_of(crystal(rng, 5))], ("Li", "P", "S", "Ge"), 4.0)
    batch = collate([data[i] for i in range(3)])
    assert batch.graph_index.tolist() == [0] * 12 + [1] + [2] * 5
    i, j = batch.edge_index
    assert torch.equal(batch.graph_index[i], batch.graph_index[j])
    assert data.n_atoms().tolist() == [12, 1, 5]
    assert data[0] is data[0]


def test_budget():
    sizes = np.array([50] * 7 + [400] * 2 + [30] * 5)
    sampler = AtomBudgetSampler(sizes, max_atoms=200, max_frames=3, shuffle=True, seed=3)
    batches = list(sampler)
    assert sorted(chain(*batches)) == list(range(14))
    assert all(len(b) <= 3 for b in batches)
    assert all(sizes[b].sum() <= 200 or len(b) == 1 for b in batches)
    assert len(sampler) == len(batches)


def test_an_epochs_order_depends_on_seed_and_epoch_alone():
    make = lambda seed: AtomBudgetSampler(np.full(20, 10), 30, 3, shuffle=True, seed=seed)  # noqa: E731
    one, two = make(0), make(0)
    list(one)
    one.set_epoch(4)
    two.set_epoch(4)
    assert list(one) == list(two)
    two.set_epoch(5)
    assert list(one) != list(two)
    other = make(1)
    other.set_epoch(4)
    assert list(one) != list(other)


@pytest.mark.parametrize("shuffle", [True, False])
def test_ranks_share_the_batches(shuffle):
    parts = [list(AtomBudgetSampler(np.full(21, 10), 30, 3, shuffle=shuffle, rank=r, n_ranks=2)) for r in range(2)]
    assert set(chain(*chain(*parts))) == set(range(21))
    if shuffle:
        assert len(parts[0]) == len(parts[1])  # gradients are averaged step by step
    else:
        assert sum(map(len, parts)) == 7  # a validation frame counts once


def test_no_frames_is_an_error():
    with pytest.raises(ValueError, match="found no frames to batch"):
        AtomBudgetSampler(np.array([]), 10, 1, shuffle=False)
