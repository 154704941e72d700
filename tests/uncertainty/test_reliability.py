import json

import numpy as np
import pytest
from scipy.special import erf

from mlff.uncertainty import (
    coverage,
    coverage_curve,
    rank_correlation,
    reliability_bins,
    sparsification_curve,
    uncertainty_metrics,
)


@pytest.fixture
def honest(rng):
    """σ_c over a decade, and normal errors of exactly that spread: 90,000 components."""
    sigma = 0.02 * 10 ** rng.random(30_000)
    return sigma, sigma[:, None] * rng.normal(size=(30_000, 3))


def test_honest_intervals_hold_what_they_say(honest):
    curve = coverage_curve(*honest)
    np.testing.assert_allclose(curve.observed, curve.expected, atol=0.01)  # 6 / (2 √90,000)
    assert curve.miscalibration_area < 0.005
    assert coverage(*honest) == pytest.approx(0.6827, abs=0.01)
    assert coverage(*honest, 0.95) == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_intervals_too_narrow_or_too_wide_miss_by_the_closed_form(honest, factor):
    sigma, errors = honest
    assert coverage(factor * sigma, errors) == pytest.approx(erf(factor / np.sqrt(2)), abs=0.01)
    curve = coverage_curve(factor * sigma, errors)
    assert (np.sign(curve.observed - curve.expected)[20:-20] == np.sign(factor - 1)).all()
    # ∫|2Φ(factor·z) − 1 − p| dp over half-normal z: 2/π · |arctan(factor) − π/4|
    assert curve.miscalibration_area == pytest.approx(2 / np.pi * abs(np.arctan(factor) - np.pi / 4), abs=0.005)


def test_zero_width_holds_only_what_is_exact():
    assert coverage(np.zeros(2), np.array([[0.0, 0, 0], [1.0, 0, 1]])) == pytest.approx(4 / 6)


def test_bins_of_honest_uncertainties_lie_on_the_diagonal(honest):
    bins = reliability_bins(*honest)
    assert len(bins.sigma) == 12
    np.testing.assert_allclose(bins.rms, bins.sigma, rtol=0.05)
    np.testing.assert_allclose(bins.quantile, bins.sigma, rtol=0.05)
    doubled = reliability_bins(2 * honest[0], honest[1])
    np.testing.assert_allclose(doubled.rms / doubled.sigma, 0.5, rtol=0.05)


def test_few_atoms_make_few_bins(honest):
    sigma, errors = honest
    assert len(reliability_bins(sigma[:120], errors[:120]).sigma) == 2
    assert len(reliability_bins(sigma[:5], errors[:5]).sigma) == 1


def test_a_perfect_order_has_no_area_and_a_random_one_the_whole(rng, honest):
    sigma, errors = honest
    perfect = sparsification_curve(np.linalg.norm(errors, axis=1), errors)
    np.testing.assert_allclose(perfect.remaining, perfect.oracle)
    assert perfect.ause == 0
    shuffled = sparsification_curve(rng.permutation(sigma), errors)
    np.testing.assert_allclose(shuffled.remaining[:40], np.sqrt(np.square(errors).mean()), rtol=0.05)  # no order: nothing is gained
    inverted = sparsification_curve(1 / sigma, errors)
    assert 0 < sparsification_curve(sigma, errors).ause < shuffled.ause < inverted.ause


def test_the_curve_by_hand():
    """Squared errors 1, 4, 9, 16; the third atom is taken for the most uncertain, so that 9 leaves before 16."""
    errors = np.array([1.0, 2.0, 3.0, 4.0])[:, None] * np.ones(3)
    curve = sparsification_curve(np.array([0.1, 0.2, 0.4, 0.3]), errors, n_shares=4)
    np.testing.assert_allclose(curve.removed, [0, 0.25, 0.5, 0.75])
    np.testing.assert_allclose(np.square(curve.oracle), [30 / 4, 14 / 3, 5 / 2, 1])
    np.testing.assert_allclose(np.square(curve.remaining), [30 / 4, 21 / 3, 5 / 2, 1])


def test_rank_correlation_sees_order_alone(rng):
    errors = rng.normal(size=(200, 3))
    size = np.linalg.norm(errors, axis=1)
    assert rank_correlation(size**3, errors) == pytest.approx(1.0)
    assert rank_correlation(1 / size, errors) == pytest.approx(-1.0)
    assert abs(rank_correlation(rng.random(200), errors)) < 0.25  # 3.5 / √200
    assert rank_correlation(np.ones(200), errors) is None


def test_metrics_are_of_each_group_and_of_plain_numbers(rng, honest):
    sigma, errors = honest
    groups = rng.choice(["Li", "framework"], len(sigma))
    wide = np.where(groups == "Li", sigma, 2 * sigma)
    rows = uncertainty_metrics(np.sqrt(3) * sigma, wide, errors, groups, grade=sigma)
    assert json.loads(json.dumps(rows)) == rows
    assert (rows["Li"]["scale"], rows["framework"]["scale"]) == (pytest.approx(1.0), pytest.approx(2.0))
    assert rows["Li"]["coverage_68"] == pytest.approx(0.683, abs=0.01)
    assert rows["framework"]["coverage_68"] == pytest.approx(0.954, abs=0.01)
    assert rows["framework"]["coverage_95"] > 0.99
    assert rows["Li"]["n"] + rows["framework"]["n"] == rows["all"]["n"] == len(sigma)
    assert rows["all"] == uncertainty_metrics(np.sqrt(3) * sigma, wide, errors, np.full(len(sigma), "all"), grade=sigma)["all"]
    assert rows["Li"]["spearman_grade"] == pytest.approx(rows["Li"]["spearman"])
    assert uncertainty_metrics(sigma, sigma, errors, groups)["Li"]["spearman_grade"] is None


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(ValueError, match=r"errors \(2, 2\), expected \(n,\) and \(n, 3\) with n > 0"):
        coverage(np.ones(2), np.ones((2, 2)))
    with pytest.raises(ValueError, match="negative or NaN"):
        coverage(np.array([1.0, np.nan]), np.ones((2, 3)))
