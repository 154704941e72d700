import numpy as np
import pytest
from scipy.signal import savgol_filter

from mlff.analysis.vibrations.spectrum import mean_wavenumber, parzen, savitzky_golay, spectrum, wavenumbers
from mlff.units import PER_CM, THZ

DT = 7.0  # fs


@pytest.mark.parametrize("finest", [0.7, 1.0, 400.0])  # a grid finer than the lags give by themselves, and one that they make finer
@pytest.mark.parametrize("n_lags", [2, 101, 256])
def test_its_area_is_the_value_at_lag_zero(rng, n_lags, finest):
    correlation = rng.normal(size=(2, n_lags))
    grid, density = wavenumbers(n_lags, DT, finest), spectrum(correlation, DT, finest)
    assert density.shape == (2, len(grid))
    assert grid[-1] == pytest.approx(0.5 / (DT * PER_CM))
    assert grid[1] <= finest
    np.testing.assert_allclose(np.trapezoid(density, grid), correlation[:, 0], rtol=1e-10)


def test_a_line_lies_where_its_frequency_is_and_is_nowhere_negative():
    """Without a window it would fall to −22 % of its height beside the peak, and its feet would move the band centre."""
    times = DT * np.arange(600)
    correlation = np.cos(2 * np.pi * 200.0 * PER_CM * times)
    grid, density = wavenumbers(600, DT, 1.0), spectrum(correlation, DT, 1.0)
    assert grid[np.argmax(density)] == pytest.approx(200.0, abs=0.6)
    assert density.min() > -1e-9 * density.max()
    width = np.ptp(grid[density > density.max() / 2])
    assert width == pytest.approx(1.27 / (600 * DT * PER_CM), abs=2.0)
    assert mean_wavenumber(grid, density) == pytest.approx(200.0, abs=0.05)


def test_at_zero_it_is_four_times_the_integral():
    times, rate = DT * np.arange(4000), 0.01
    density = spectrum(np.exp(-rate * times), DT, 1.0)
    assert density[0] == pytest.approx(4 * PER_CM / rate, rel=0.001)


def test_a_terahertz_is_33_wavenumbers():
    assert pytest.approx(33.35641, abs=1e-5) == THZ


def test_parzens_window_ends_smoothly():
    window = parzen(1000)
    assert window[0] == 1
    assert window[500] == pytest.approx(0.25)
    assert abs(np.diff(window, 2)).max() < 13e-6  # the second derivative is continuous: −12 at 0


@pytest.mark.parametrize("window", [3, 5, 15])
def test_the_filter_is_that_of_savitzky_and_golay(rng, window):
    values = rng.normal(size=(3, 60))
    np.testing.assert_allclose(savitzky_golay(values, window), savgol_filter(values, window, 2, mode="mirror"), atol=1e-12)


def test_a_window_within_the_grid_smooths_nothing(rng):
    values = rng.normal(size=(3, 60))
    np.testing.assert_array_equal(savitzky_golay(values, 1), values)
    with pytest.raises(ValueError, match="expected more than 60, half the window; smooth less"):
        savitzky_golay(values, 121)
