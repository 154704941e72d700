import json

import numpy as np
import pytest

from mlff.uncertainty import coverage, fit_isotonic, fit_scale
from mlff.uncertainty.error_map import SHARE, error_map_from_json


def made(rng, n, noise="normal", curve=lambda deviation: 0.7 * deviation):
    """Deviations over a decade, and errors whose one component has the spread curve(deviation)."""
    deviation = 0.02 * 10 ** rng.random(n)
    draws = {"normal": rng.normal, "student": lambda size: rng.standard_t(3, size) / np.sqrt(3)}[noise]  # both of variance 1
    return deviation, curve(deviation)[:, None] * draws(size=(n, 3))


def test_the_scale_of_normal_errors_is_the_ratio_of_their_spreads(rng):
    """σ_c = 0.7 ε_F means s = 0.7·√3; the quantile of 30,000 components scatters by 0.6 %."""
    assert fit_scale(*made(rng, 10_000)).scale == pytest.approx(0.7 * np.sqrt(3), rel=0.02)


@pytest.mark.parametrize("noise", ["normal", "student"])
@pytest.mark.parametrize("fit", [fit_scale, fit_isotonic])
def test_intervals_hold_their_share_of_new_errors_whatever_their_tails(rng, noise, fit):
    error_map = fit(*made(rng, 3000, noise))
    deviation, errors = made(rng, 20_000, noise)
    assert coverage(error_map(deviation), errors) == pytest.approx(SHARE, abs=0.02)  # the fit's quantile: ±0.5 % of 9,000, doubled twice


def test_the_scale_of_largest_likelihood_holds_too_many_of_heavy_tailed_errors(rng):
    """Why the quantile: 82 % of Student's t with three degrees of freedom lie within one standard deviation."""
    deviation, errors = made(rng, 20_000, "student")
    unit = deviation[:, None] / np.sqrt(3)
    likeliest = np.sqrt(np.mean(np.square(errors / unit)))
    assert coverage(likeliest * unit[:, 0], errors) > 0.75


def test_reading_the_deviation_as_one_components_spread_holds_too_many(rng):
    """Without the √3 the 68 % interval holds 92 % of normal errors."""
    deviation, errors = made(rng, 20_000)
    scale = fit_scale(deviation, errors).scale
    assert coverage(scale * deviation, errors) == pytest.approx(0.917, abs=0.01)


def test_the_curve_follows_a_committee_that_saturates_where_one_factor_cannot(rng):
    def curve(deviation):
        return 0.03 + 0.2 * deviation

    deviation, errors = made(rng, 20_000, curve=curve)
    isotonic, scale = fit_isotonic(deviation, errors), fit_scale(deviation, errors)
    inner = np.linspace(0.025, 0.17, 30)  # away from the ends, where the curve is level
    np.testing.assert_allclose(isotonic(inner), curve(inner), rtol=0.1)
    assert np.abs(scale(inner) / curve(inner) - 1).max() > 0.3


def test_the_curve_never_falls_and_the_rms_is_above_the_quantile_of_heavy_tails(rng):
    deviation, errors = made(rng, 3000, "student")
    quantile, rms = (fit_isotonic(deviation, errors, statistic=statistic) for statistic in ("quantile", "rms"))
    assert (np.diff(quantile.values) >= 0).all()
    assert (np.diff(rms.values) >= 0).all()
    assert rms(0.06) > 1.2 * quantile(0.06)  # √3 / 1.2 for Student's t with three degrees of freedom
    everywhere = np.square(rms(deviation)).mean()
    assert everywhere == pytest.approx(np.square(errors).mean(), rel=0.05)


@pytest.mark.parametrize("fit", [fit_scale, fit_isotonic])
def test_outside_the_fitted_range_is_said_and_not_refused(rng, fit):
    deviation, errors = made(rng, 500)
    error_map = fit(deviation, errors)
    asked = np.array([0.0, deviation.min(), 0.05, deviation.max(), 1.0])
    assert error_map.inside(asked).tolist() == [False, True, True, True, False]
    assert np.isfinite(error_map(asked)).all()
    assert not error_map.inside(np.array([np.nan, np.inf])).any()


@pytest.mark.parametrize("fit", [fit_scale, fit_isotonic])
def test_a_map_survives_the_card(rng, fit):
    error_map = fit(*made(rng, 500))
    again = error_map_from_json(json.loads(json.dumps(error_map.to_json())))
    assert again == error_map
    with pytest.raises(ValueError, match="map of kind 'spline', expected"):
        error_map_from_json({"kind": "spline"})


def test_identical_members_cannot_be_calibrated(rng):
    with pytest.raises(ValueError, match=r"100% of the atoms have no deviation .* trained from different seeds"):
        fit_scale(np.zeros(50), rng.normal(size=(50, 3)))
    with pytest.raises(ValueError, match="100% of the error components are 0"):
        fit_scale(np.ones(50), np.zeros((50, 3)))


def test_too_few_or_broken_samples_are_refused(rng):
    deviation, errors = made(rng, 50)
    with pytest.raises(ValueError, match="found 99 error components, expected at least 100"):
        fit_scale(deviation[:33], errors[:33])
    assert fit_scale(deviation[:34], errors[:34]).scale > 0
    with pytest.raises(ValueError, match=r"found 150 error components, expected at least 1500; .* or fit one scale, for which 100"):
        fit_isotonic(deviation, errors)
    with pytest.raises(ValueError, match="expected finite deviations"):
        fit_scale(np.where(deviation > 0.1, np.inf, deviation), errors)
    with pytest.raises(ValueError, match=r"errors \(50, 2\), expected \(n,\) and \(n, 3\)"):
        fit_scale(deviation, errors[:, :2])
    with pytest.raises(ValueError, match='expected "quantile" or "rms"'):
        fit_isotonic(deviation, errors, statistic="mean")
