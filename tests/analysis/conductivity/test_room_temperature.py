import numpy as np
import pytest

from mlff.analysis import Estimate
from mlff.analysis.conductivity.room_temperature import room_temperature
from mlff.units import K_B


def sigma(temperature, relative=0.05, prefactor=1000.0, energy=0.25):
    """S/cm, σT = prefactor exp(−E/kT)."""
    value = prefactor * np.exp(-energy / (K_B * temperature)) / temperature
    return Estimate(float(value), float(relative * value), unit="S/cm")


def test_the_line_of_sigma_times_temperature():
    """A line of σ itself would be off by several percent at 300 K."""
    found = room_temperature({t: sigma(t, 0.02) for t in (500, 600, 700, 800, 900)})
    assert found.conductivity.value == pytest.approx(sigma(300).value, rel=1e-9)
    assert found.conductivity.unit == "S/cm"
    assert found.log10.value == pytest.approx(np.log10(sigma(300).value))


def test_the_interval_is_even_in_the_logarithm():
    found = room_temperature({t: sigma(t, 0.03) for t in (500, 600, 700)})
    low, high = found.interval
    assert low * high == pytest.approx(found.conductivity.value**2)
    assert high - found.conductivity.value > found.conductivity.value - low
    assert np.log10(high / low) / 2 == pytest.approx(found.log10.error)


def test_what_is_known_to_a_factor_has_limits_in_place_of_a_value():
    found = room_temperature({t: sigma(t, 0.4) for t in (700, 800, 900)})
    assert not found.conductivity.known
    assert found.conductivity.lower * found.conductivity.upper == pytest.approx(sigma(300).value ** 2)
    assert found.conductivity.lower > 0  # where value − 1.645 errors is not
    assert found.conductivity.reason.startswith("known to a factor of")
    assert found.log10.known


def test_bounds_propagate():
    """σT < 600 × bound at 600 K, and so it is at 300 K; a bound below 300 K says nothing."""
    bound = Estimate(None, upper=1e-4, unit="S/cm")
    found = room_temperature({800: sigma(800), 600: bound, 250: Estimate(None, upper=1e-9, unit="S/cm")})
    assert found.conductivity.upper == pytest.approx(2e-4)
    assert found.log10.upper == pytest.approx(np.log10(2e-4))
    assert found.interval is None
    assert found.conductivity.reason.startswith("1 of 3 temperatures gave a value")
    below = room_temperature({250: Estimate(None, lower=1e-4, unit="S/cm")})
    assert below.conductivity.lower == pytest.approx(1e-4 * 250 / 300)
    assert below.conductivity.upper is None


def test_a_line_that_breaks_a_bound_is_not_believed():
    values = {t: sigma(t, 0.02) for t in (600, 700, 800)}
    kept = room_temperature(values | {400: Estimate(None, upper=2 * sigma(400).value, unit="S/cm")})
    assert kept.conductivity.known
    broken = room_temperature(values | {400: Estimate(None, upper=0.1 * sigma(400).value, unit="S/cm")})
    assert not broken.conductivity.known
    assert broken.conductivity.upper == pytest.approx(0.1 * sigma(400).value * 400 / 300)
    assert broken.conductivity.reason == "the line contradicts the bounds at 400 K"


def test_a_temperature_that_is_none_is_refused():
    with pytest.raises(ValueError, match="found a temperature of 0 K, expected a positive one"):
        room_temperature({500: sigma(500)}, 0)
