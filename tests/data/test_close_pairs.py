"""All close pairs are found where they are few, no further frame loses one, and the cost is bounded."""

import dataclasses

import numpy as np
import pytest

from mlff.data.close_pairs import MAX_FRAMES, candidates, close_pairs, frame_distances
from mlff.data.displacements import fractional


@pytest.fixture
def spread(lj_run, rng):
    """Frames of which only 3 and 17, and 20, 21 and 30, lie close."""
    frames = [dataclasses.replace(f, positions=f.positions + rng.normal(size=f.positions.shape), index=k) for k, f in enumerate(lj_run)]
    for k, near, size in ((17, 3, 0.05), (21, 20, 0.04), (30, 20, 0.1)):
        moved = frames[near].positions + rng.normal(scale=size, size=frames[near].positions.shape)
        frames[k] = dataclasses.replace(frames[k], positions=moved + 0.5)  # a shift of the whole is no displacement
    return frames


def test_all_close_pairs_are_found(spread):
    assert close_pairs(spread, 0.25, 24, 1e9) == [(3, 17), (20, 21), (20, 30), (21, 30)]


def test_a_subset_has_no_pair_more(spread, rng):
    for _ in range(10):
        kept = np.sort(rng.choice(60, size=30, replace=False))
        of_the_subset = {(int(kept[i]), int(kept[j])) for i, j in close_pairs([spread[k] for k in kept], 0.25, 24, 1e9)}
        assert of_the_subset <= set(close_pairs(spread, 0.25, 24, 1e9))


def test_the_search_ends_with_what_was_wanted_or_allowed(lj_run, spread):
    assert len(close_pairs(lj_run, 0.5, 7, 1e9)) == 7
    assert close_pairs(spread, 0.25, 2, 1.0) in ([], [(3, 17)], [(20, 21)], [(20, 30)])  # two rows of sixty


def test_copies_are_no_pairs(lj_run):
    assert close_pairs([lj_run[0], lj_run[0], dataclasses.replace(lj_run[0], positions=lj_run[0].positions + 1)], 0.25, 24, 1e9) == []


def test_a_change_of_the_cell_counts_as_far_as_it_moves_atoms(lj_run):
    frame = lj_run[0]
    strained = dataclasses.replace(frame, cell=frame.cell * 1.02, positions=frame.positions * 1.02)
    places, cells = np.stack([fractional(frame), fractional(strained)]), np.stack([frame.cell, strained.cell])
    assert frame_distances(0, places, cells, frame.pbc)[1] == pytest.approx(np.sqrt(3) * 10.6 * 0.02 / 4)


def test_of_a_long_run_the_closest_neighbours_are_kept(lj_run, rng):
    frames = [dataclasses.replace(lj_run[0], positions=lj_run[0].positions + rng.normal(size=(32, 3)), index=k) for k in range(900)]
    frames[501] = dataclasses.replace(frames[500], positions=frames[500].positions + rng.normal(scale=0.05, size=(32, 3)))
    kept = candidates(frames, range(900))
    assert {500, 501} <= set(kept)
    assert MAX_FRAMES / 2 < len(kept) <= MAX_FRAMES
    assert max(np.diff(kept)) < 10  # from everywhere
    assert candidates(frames, range(5, 300)) == list(range(5, 300))
