"""How long ions stay, though the run ends."""

import numpy as np

from mlff.analysis.sites.residence import ENDS, bin_of, residence_times


def binned(frames):
    return np.bincount(bin_of(frames), minlength=len(ENDS))


def survival(rng, n, mean, run):
    """Of n stays with exponential lengths, frames, each of which begins anywhere in the run and is cut by its end."""
    stays, room = rng.geometric(1 / mean, n), rng.integers(1, run, n)
    ended = stays <= room
    return residence_times(binned(stays[ended]), binned(room[~ended]), 1.0)


def test_bins_begin_where_they_say():
    assert ENDS[bin_of(ENDS)].tolist() == ENDS.tolist()
    assert (bin_of(ENDS[1:] - 1) < bin_of(ENDS[1:])).all()


def test_stays_that_the_run_cuts_are_at_risk(rng):
    """A run of twice the mean stay: without the stays that are cut, half as long as the mean would be left after one."""
    found = survival(rng, 20_000, 200, 400)
    inner = (found.times > 0) & (found.times < 300)
    expected = np.exp(-found.times[inner] / 200)
    assert np.abs(found.survival[inner] - expected).max() < 0.02
    k = np.flatnonzero(inner)[-1]
    assert found.survival[k] > 0.2


def test_the_error_holds(rng):
    """Within one standard deviation of the truth in two of three runs."""
    hits = []
    for _ in range(300):
        found = survival(rng, 100, 200, 1000)
        k = int(np.searchsorted(found.times, 200))
        hits.append(abs(found.survival[k] - np.exp(-found.times[k] / 200)) < found.error[k])
    assert 0.58 < np.mean(hits) < 0.78


def test_nothing_seen_is_told_without_a_warning():
    none = residence_times(np.zeros(len(ENDS), np.int64), np.zeros(len(ENDS), np.int64), 1.0)
    assert none.survival.tolist() == [1.0, 1.0]
    all_left = residence_times(binned(np.array([3, 3])), binned(np.array([], np.int64)), 0.5)
    assert all_left.survival[-1] == 0
    assert all_left.times[-1] == 0.5 * 3.5
    assert np.isfinite(all_left.error).all()
