"""As many jumps there as back."""

import numpy as np
import pytest
from scipy.stats import kstest

from mlff.analysis.sites.balance import LEAST, detailed_balance


def balance(flows):
    """Of {(from, to, cells): jumps}."""
    hops = np.array([key[:2] for key in flows], np.int64).reshape(-1, 2)
    shifts = np.array([key[2] for key in flows], np.int64).reshape(-1, 3)
    return detailed_balance(hops, shifts, np.array(list(flows.values()), np.int64))


def test_the_sum_over_pairs():
    """(30 − 20)² / 50 + (5 − 7)² / 12; a pair with fewer than ten jumps is none."""
    o = (0, 0, 0)
    found = balance({(0, 1, o): 30, (1, 0, o): 20, (1, 2, o): 5, (2, 1, o): 7, (0, 2, o): LEAST - 1})
    assert found.chi_squared == pytest.approx(2 + 1 / 3)
    assert found.pairs == 2
    assert (found.worst.tolist(), found.forward, found.backward) == ([0, 1], 30, 20)


def test_ways_through_different_images_are_different_pairs():
    """Round a ring of two sites all one way: site by site it would look even."""
    there, on = (0, 0, 0), (1, 0, 0)
    found = balance({(0, 1, there): 40, (1, 0, on): 40})
    assert found.pairs == 2
    assert found.chi_squared == pytest.approx(80)
    assert found.p < 1e-6


def test_a_site_and_its_own_image_are_a_pair():
    found = balance({(0, 0, (1, 0, 0)): 9, (0, 0, (-1, 0, 0)): 16})
    assert found.pairs == 1
    assert found.chi_squared == pytest.approx(49 / 25)


def test_the_chance_is_even_in_equilibrium(rng):
    """p of independent jumps is as often below 0.1 as it says, for any."""
    ps = []
    for _ in range(400):
        flows = {}
        for k in range(12):
            total = int(rng.integers(200, 400))
            n = int(rng.binomial(total, 0.5))
            flows |= {(k, k + 1, (0, 0, 0)): n, (k + 1, k, (0, 0, 0)): total - n}
        ps.append(balance(flows).p)
    assert kstest(ps, "uniform").pvalue > 1e-3


def test_nothing_to_compare():
    found = balance({})
    assert (found.chi_squared, found.pairs, found.p, found.worst.tolist()) == (0.0, 0, 1.0, [])
