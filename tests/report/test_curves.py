import numpy as np
import pytest

from mlff.report.curves import (
    binned_band,
    common_extent,
    decades_extent,
    density,
    error_histogram,
    robust_reach,
    slope_through_origin,
    softening,
)


def test_band_holds_median_and_central_ninety_percent(rng):
    x = rng.random(40_000)
    y = x + rng.random(40_000)  # at each x uniform on (x, x + 1)
    band = binned_band(x, y, n_bins=40)
    np.testing.assert_allclose(band.median, band.x + 0.5, atol=0.05)  # 1,000 samples a bin, each bin 0.025 wide
    np.testing.assert_allclose(band.low, band.x + 0.05, atol=0.03)
    np.testing.assert_allclose(band.high, band.x + 0.95, atol=0.03)


def test_band_bins_hold_equally_many_samples():
    x = np.concatenate([np.linspace(0, 1, 900), np.linspace(50, 100, 100)])  # bins of equal width would leave the middle empty
    band = binned_band(x, x, n_bins=10)
    assert len(band.x) == 10
    assert np.isfinite(band.median).all()
    assert (band.x < 1).sum() == 9


def test_too_few_samples_give_no_band():
    assert len(binned_band(np.arange(19.0), np.arange(19.0)).x) == 0


def test_softening_of_scaled_forces_is_the_scale(rng):
    forces = rng.normal(size=(2000, 3))
    sideways = np.cross(forces, rng.normal(size=(2000, 3)))  # perpendicular errors change no force along the reference
    band = softening(forces, 0.9 * forces + sideways)
    np.testing.assert_allclose(band.median, 0.9)
    np.testing.assert_allclose(band.high, 0.9)


def test_slope_ignores_an_intercept():
    assert slope_through_origin(np.array([1.0, 2.0]), np.array([2.0, 1.0])) == pytest.approx(0.8)
    assert slope_through_origin(np.zeros(2), np.ones(2)) is None


def test_density_counts_every_point_once_where_it_lies(rng):
    x, y = rng.uniform(-2, 2, size=(2, 500))
    counts = density(x, y, (-1, 1), 10)
    assert counts.sum() == 500  # points outside went to the rim
    one = density(np.array([0.95]), np.array([-0.95]), (-1, 1), 10)
    assert one[0, 9] == 1  # row from below, column from the left


def test_histogram_shares_add_up_to_what_lies_inside():
    assert error_histogram(np.array([0.0, 0.1, 5.0, 0.2]), np.linspace(-1, 1, 5)).sum() == pytest.approx(75.0)


def test_one_error_far_off_does_not_set_the_axis(rng):
    errors = np.concatenate([rng.normal(size=46), [-12.0, 28.0]])  # meV/atom, one polymorph badly described
    assert np.quantile(np.abs(errors), 0.99) > 15
    assert 3 < robust_reach(errors) < 9
    assert robust_reach(-1e3 * errors) == pytest.approx(1e3 * robust_reach(errors))


@pytest.mark.parametrize(("n", "share"), [(2000, 0.99), (20_000, 0.999)])
def test_without_outliers_the_axis_holds_all_but_the_tail(rng, n, share):
    errors = rng.normal(size=n)
    assert np.mean(np.abs(errors) <= robust_reach(errors)) == pytest.approx(share, abs=1 / n)


def test_an_axis_of_few_or_equal_errors_has_a_width():
    assert robust_reach(np.zeros(0)) == 0.0
    assert robust_reach(np.array([3.0])) == 3.0
    assert robust_reach(np.array([0.0] * 9 + [1.0])) > 0  # three quarters are exact


def test_extent_holds_all_and_is_never_empty():
    low, high = common_extent(np.array([3.0]), np.array([3.0]))
    assert low < 3.0 < high
    assert common_extent() == (-1.0, 1.0)


def test_decades_leave_out_what_lies_far_below(rng):
    values = np.concatenate([rng.uniform(1, 10, 2000), [1e-9, 0.0, 0.0]])
    low, high = decades_extent(values)
    assert 0.5 < low < 1.1
    assert 10 < high < 12
    assert decades_extent(values, rare=0.0)[0] < 1e-9
    assert decades_extent(np.zeros(3), np.zeros(0)) == (0.1, 1.0)
    one = decades_extent(np.array([3.0]))
    assert one[0] < 3.0 < one[1]
