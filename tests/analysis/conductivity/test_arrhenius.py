import numpy as np
import pytest

from mlff.analysis import Estimate, fit_arrhenius, times_temperature
from mlff.units import K_B

UNIT = "cm²/s"


def points(rng, relative=0.1, temperatures=(600, 700, 800, 1000), energy=0.3, prefactor=1e-3):
    exact = {t: prefactor * np.exp(-energy / (K_B * t)) for t in temperatures}
    seen = {t: y * np.exp(relative * rng.normal()) for t, y in exact.items()}
    return {t: Estimate(y, relative * y, unit=UNIT) for t, y in seen.items()}


def test_exact_points_give_the_exact_line(rng):
    line = fit_arrhenius(points(rng, 1e-9))
    assert line.activation_energy.value == pytest.approx(0.3, rel=1e-6)
    assert line.log10_prefactor.value == pytest.approx(-3.0, rel=1e-6)
    assert line.at(300.0).value == pytest.approx(1e-3 * np.exp(-0.3 / (K_B * 300)), rel=1e-5)
    assert line.at(300.0).unit == UNIT


def test_errors_hold_the_truth_in_at_least_68_percent(rng):
    """At 300 K, where the error of the energy and of the prefactor nearly cancel; widened by χ² in part of the cases."""
    lines = [fit_arrhenius(points(rng)) for _ in range(300)]
    exact = np.log10(1e-3 * np.exp(-0.3 / (K_B * 300)))
    for inside in (
        [abs(line.activation_energy.value - 0.3) < line.activation_energy.error for line in lines],
        [abs(line.log10_at(300).value - exact) < line.log10_at(300).error for line in lines],
    ):
        assert 0.63 < np.mean(inside) < 0.86


def test_scatter_beyond_the_errors_widens_them(rng):
    y = points(rng, 1e-9)
    off = y | {700: y[700].times(1.5, UNIT)}
    line = fit_arrhenius({t: Estimate(e.value, 0.02 * e.value, unit=UNIT) for t, e in off.items()})
    plain = fit_arrhenius({t: Estimate(e.value, 0.02 * e.value, unit=UNIT) for t, e in y.items()})
    assert line.activation_energy.error > 3 * plain.activation_energy.error


def test_bounds_are_held_against_the_line_and_not_fitted(rng):
    y = points(rng, 0.02)
    alone = fit_arrhenius(y)
    at = alone.at(400.0).value
    fine = fit_arrhenius(y | {400: Estimate(None, upper=1.2 * at, unit=UNIT)})
    wrong = fit_arrhenius(y | {400: Estimate(None, upper=0.5 * at, unit=UNIT)})
    assert fine.activation_energy == wrong.activation_energy == alone.activation_energy
    assert fine.contradicted == ()
    assert wrong.contradicted == (400,)


def test_one_value_gives_no_line():
    line = fit_arrhenius({600: Estimate(1e-6, 1e-7, unit=UNIT), 500: Estimate(None, upper=1e-8, unit=UNIT)})
    assert str(line.activation_energy) == "no result (1 of 2 temperatures gave a value, and a line needs 2)"
    assert not line.at(300.0).known


def test_conductivity_times_temperature_is_what_is_fitted():
    assert times_temperature(Estimate(0.01, 0.001, unit="S/cm"), 500.0) == Estimate(5.0, 0.5, unit="S K/cm")


def test_what_has_no_logarithm_is_refused():
    with pytest.raises(ValueError, match=r"at \[600\] K a value, its error"):
        fit_arrhenius({600: Estimate(-1.0, 0.1), 700: Estimate(1.0, 0.1)})
    with pytest.raises(ValueError, match="expected one unit"):
        fit_arrhenius({600: Estimate(1.0, 0.1, unit="a"), 700: Estimate(1.0, 0.1)})
