import itertools

import numpy as np
import pytest

from mlff.geometry import neighbor_list


def brute_force(positions, cell, pbc, r_max):
    """Every pair within r_max, by going through all images that could reach."""
    reach = [range(-6, 7) if p else range(1) for p in pbc]
    pairs = set()
    for shift in itertools.product(*reach):
        for i, j in itertools.product(range(len(positions)), repeat=2):
            r = positions[j] + np.array(shift) @ cell - positions[i]
            if (i != j or any(shift)) and np.linalg.norm(r) < r_max:
                pairs.add((i, j, *shift))
    return pairs


@pytest.mark.parametrize("pbc", list(itertools.product([False, True], repeat=3)))
def test_all_pairs_in_a_skewed_cell_smaller_than_the_cutoff(rng, pbc):
    cell = np.array([[3.0, 0.2, 0.1], [1.0, 3.4, -0.3], [-0.7, 0.5, 2.9]])
    positions = rng.uniform(-1, 2, size=(5, 3)) @ cell  # some outside the cell
    edges, shift = neighbor_list(positions, cell, np.array(pbc), 4.5)
    assert {(*pair, *s) for pair, s in zip(edges.T.tolist(), shift.tolist(), strict=True)} == brute_force(positions, cell, pbc, 4.5)
    assert (np.diff(edges[0]) >= 0).all()


def test_no_cell_no_atoms_and_no_edges():
    edges, shift = neighbor_list(np.array([[0, 0, 0], [0, 0, 9.0]]), np.zeros((3, 3)), np.zeros(3, bool), 5.0)
    assert edges.shape == (2, 0)
    assert shift.shape == (0, 3)
    assert neighbor_list(np.zeros((0, 3)), np.zeros((3, 3)), np.zeros(3, bool), 5.0)[0].shape == (2, 0)


def test_a_periodic_axis_needs_a_vector():
    with pytest.raises(ValueError, match="give a cell vector for each periodic axis"):
        neighbor_list(np.zeros((1, 3)), np.diag([5.0, 5.0, 0.0]), np.ones(3, bool), 3.0)


def test_positions_must_be_finite():
    with pytest.raises(ValueError, match="position that is not finite"):
        neighbor_list(np.full((1, 3), np.nan), np.eye(3), np.zeros(3, bool), 3.0)


def test_a_half_list_holds_each_pair_once(rng):
    cell, positions = np.diag([3.0, 4.0, 5.0]) + 0.3, rng.normal(scale=3, size=(7, 3))
    edges, shift = neighbor_list(positions, cell, [True] * 3, 5.0)
    half, half_shift = neighbor_list(positions, cell, [True] * 3, 5.0, half=True)
    both = np.concatenate([np.c_[half.T, half_shift], np.c_[half[::-1].T, -half_shift]])
    assert sorted(map(tuple, both.tolist())) == sorted(map(tuple, np.c_[edges.T, shift].tolist()))


def test_near_neighbours_come_first(rng):
    cell, positions = np.diag([3.0, 4.0, 5.0]) + 0.3, rng.normal(scale=3, size=(7, 3))
    step = 5.0 / 255  # Å, no finer
    for half in (False, True):
        (i, j), shift = neighbor_list(positions, cell, [True] * 3, 5.0, half=half)
        distance = np.linalg.norm(positions[j] - positions[i] + shift @ cell, axis=1)
        if half:
            assert np.diff(distance).min() > -step
            continue
        assert (np.diff(i) >= 0).all()
        assert np.diff(distance)[np.diff(i) == 0].min() > -step
