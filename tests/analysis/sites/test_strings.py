"""Which jumps hang together."""

import numpy as np
import pytest

from mlff.analysis.sites.strings import Strings, string_sizes


def sizes_of(jumps, n_ions=9, window=10):
    """{ions in a string: (strings, jumps)} of jumps (frame, ion, from, to) in order."""
    strings = Strings(n_ions, window)
    for jump in jumps:
        strings.add(*jump)
    strings.close()
    return {int(k): tuple(strings.sizes[:, k].tolist()) for k in np.flatnonzero(strings.sizes[0])}


def test_one_takes_the_site_that_the_other_left_before_or_after():
    follows = [(0, 0, 1, 2), (4, 1, 0, 1)]  # into the vacancy
    pushes = [(0, 1, 0, 1), (4, 0, 1, 2)]  # off the site
    assert sizes_of(follows) == sizes_of(pushes) == {2: (1, 2)}


def test_what_makes_no_string():
    """To one site, from one site, the same ion, or too late: one frame more than the window."""
    assert sizes_of([(0, 0, 1, 2), (1, 1, 3, 2)]) == {1: (2, 2)}
    assert sizes_of([(0, 0, 1, 2), (1, 1, 1, 3)]) == {1: (2, 2)}
    assert sizes_of([(0, 0, 1, 2), (1, 0, 2, 1)]) == {1: (2, 2)}
    assert sizes_of([(0, 0, 1, 2), (10, 1, 0, 1)]) == {2: (1, 2)}
    assert sizes_of([(0, 0, 1, 2), (11, 1, 0, 1)]) == {1: (2, 2)}


def test_a_string_lasts_as_long_as_each_link_is_within_the_window():
    chain = [(8 * k, k, 5 - k, 6 - k) for k in range(4)]
    assert sizes_of(chain) == {4: (1, 4)}


def test_a_jump_joins_two_strings():
    """Ions 0 and 1 jump far from each other, then ion 2 leaves the site to which the one went for that which the other left."""
    assert sizes_of([(0, 0, 1, 2), (1, 1, 5, 6), (2, 2, 2, 5)]) == {3: (1, 3)}


def test_an_ion_counts_once_in_a_string():
    """Two ions that go round each other: three jumps of two ions."""
    assert sizes_of([(0, 0, 1, 2), (2, 1, 3, 1), (4, 0, 2, 3)]) == {2: (1, 3)}


def test_a_restart_in_a_string_changes_nothing():
    chain = [(8 * k, k, 5 - k, 6 - k) for k in range(4)]
    first, second = Strings(9, 10), Strings(9, 10)
    for jump in chain[:2]:
        first.add(*jump)
    second.load(first.state())
    for jump in chain[2:]:
        second.add(*jump)
    second.close()
    assert second.sizes[:, 4].tolist() == [1, 4]


def test_the_share_of_jumps_in_strings(rng):
    """Of independent strings of one or three ions: its error is the scatter of such samples."""
    shares, errors = [], []
    for _ in range(400):
        single, triple = rng.poisson(120), rng.poisson(20)
        found = string_sizes(np.array([[0, single, 0, triple], [0, single, 0, 3 * triple]]), 1.0).share
        shares.append(found.value)
        errors.append(found.error)
    assert np.mean(shares) == pytest.approx(1 / 3, abs=0.01)
    assert np.mean(errors) == pytest.approx(np.std(shares), rel=0.15)
    assert str(string_sizes(np.zeros((2, 5), np.int64), 1.0).share) == "no result (no jumps)"
