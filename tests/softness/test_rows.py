"""Rows: the extremes of a motion, and the rows that are refused because any plane would look good on them."""

from dataclasses import replace

import numpy as np
import pytest

from softness.rows import Rows, Samples, expect_separate


def samples(rng, n_windows=4, n_ions=30, trajectory=0) -> Samples:
    windows, ions = np.meshgrid(np.arange(n_windows), np.arange(n_ions), indexing="ij")
    begins = 10 * windows.reshape(-1) + 1
    n = n_windows * n_ions
    own = np.full(n, trajectory)
    return Samples(rng.normal(size=(n, 3)), rng.random(n), ions.reshape(-1), own, own, begins - 1, begins, begins + 9)


@pytest.mark.parametrize("percent", [10, 25, 50])
def test_the_extremes_are_so_many_of_each(rng, percent):
    found = samples(rng)
    found.motion[7] = np.nan
    rows = found.extremes(percent)
    n = int(119 * percent / 100)
    assert (rows.mobile.sum(), (~rows.mobile).sum()) == (n, n)
    ordered = np.sort(found.motion[np.isfinite(found.motion)])
    assert rows.motion[rows.mobile].min() == ordered[-n]
    assert rows.motion[~rows.mobile].max() == ordered[n - 1]
    assert len(rows.features) == 2 * n


def test_equal_motions_make_as_many_of_each(rng):
    found = samples(rng)
    found.motion[:] = 1.0
    rows = found.extremes(20)
    assert (rows.mobile.sum(), (~rows.mobile).sum()) == (24, 24)


def test_structure_comes_before_the_motion(rng):
    found = samples(rng)
    with pytest.raises(ValueError, match="found structure of frame 1 for motion that begins in frame 1, expected structure from before"):
        replace(found, at=found.begins)


def test_one_rearrangement_is_one_row(rng):
    rows = samples(rng).extremes(50)
    with pytest.raises(ValueError, match=r"found rows of particle \d+ for frames \d+ to \d+ and \d+ to \d+, expected one row for each"):
        Rows.join([rows, rows])
    Rows.join([rows, replace(rows, trajectories=rows.trajectories + 1)])  # another trajectory has particles of its own


def test_few_hard_particles_are_not_many_hard_rows(rng):
    found = samples(rng, n_windows=200)
    found.motion[found.particles < 3] -= 10.0  # 600 rows of three particles
    rows = found.extremes(10)
    with pytest.raises(ValueError, match="found 3 distinct particles among 600 immobile rows, expected at least 20"):
        rows.expect_many()
    samples(rng, n_windows=200).extremes(10).expect_many()


def test_a_trajectory_is_trained_on_or_tested(rng):
    first, second = samples(rng), samples(rng, trajectory=1)
    expect_separate(first, second)
    with pytest.raises(ValueError, match="found the trajectories 1 in training and in test, expected separate ones"):
        expect_separate(Samples.join([first, second]), second)


def test_a_glass_is_trained_on_or_tested_at_whatever_temperature(rng):
    cold, hot = samples(rng), replace(samples(rng, trajectory=1), structures=np.full(120, 0))
    with pytest.raises(ValueError, match="found the structures 0 in training and in test"):
        expect_separate(cold, hot)
    assert len(np.unique(Samples.join([cold, hot]).groups)) == 30


def test_groups_are_particles_of_a_trajectory(rng):
    both = Samples.join([samples(rng), samples(rng, trajectory=7)])
    assert len(np.unique(both.groups)) == 60
    assert len(np.unique(both.groups[both.particles == 3])) == 2


def test_shares_that_cannot_be_are_refused(rng):
    with pytest.raises(ValueError, match="found 60 % of 120 samples with a motion, expected 0 < percent ≤ 50"):
        samples(rng).extremes(60)
