"""Arrhenius plots: points, bounds, the line down to room temperature, and what others measured."""

import numpy as np
import pytest

from mlff.analysis import Estimate, fit_arrhenius
from mlff.report import ArrheniusSeries
from mlff.report.arrhenius_panel import Measured, arrhenius_panel
from mlff.units import K_B


def series(*temperatures: float, bound: float | None = None) -> ArrheniusSeries:
    """E_a = 0.3 eV, σT = 100 S K/cm at infinite temperature."""
    values = {t: Estimate(y := 100 * np.exp(-0.3 / (K_B * t)), 0.1 * y, unit="S K/cm") for t in temperatures}
    if bound is not None:
        values[bound] = Estimate(None, upper=1e-3, unit="S K/cm")
    return ArrheniusSeries("UC", values, fit_arrhenius(values))


def test_values_bounds_and_the_line_have_their_curves():
    panel = arrhenius_panel("Arrhenius", "log₁₀ σT, S K/cm", [series(600.0, 800.0, 1000.0, bound=400.0)])
    points, bounds, line = panel.curves
    assert (points.style, bounds.style, line.style) == ("points", "bounds", "dashed")
    assert {curve.name for curve in panel.curves} == {"UC"}
    np.testing.assert_allclose(points.x, 1000 / np.array([600.0, 800, 1000]))
    np.testing.assert_allclose(points.y, 2 - 0.3 / (K_B * np.array([600.0, 800, 1000])) / np.log(10))
    np.testing.assert_allclose(points.error, 0.1 / np.log(10))
    assert (bounds.x, bounds.y) == (pytest.approx([2.5]), pytest.approx([-3]))
    assert line.x[-1] == pytest.approx(1000 / 300)
    assert line.y[-1] == pytest.approx(2 - 0.3 / (K_B * 300) / np.log(10))
    assert line.error[-1] > 3 * line.error[0]  # the band opens where nothing was measured


def test_one_temperature_gives_a_point_and_no_line():
    panel = arrhenius_panel("Arrhenius", "y", [series(600.0)])
    assert [curve.style for curve in panel.curves] == ["points"]
    assert panel.marks == {}


def test_experiments_stand_beside():
    measured = Measured("Kamaya 2011", np.array([300.0, 400.0]), np.array([3.6, 40.0]), np.array([0.0, 4.0]))
    curve = arrhenius_panel("Arrhenius", "y", [series(600.0)], [measured]).curves[-1]
    assert curve.name == "Kamaya 2011"
    np.testing.assert_allclose(curve.y, np.log10([3.6, 40]))
    np.testing.assert_allclose(curve.error, [0, 0.1 / np.log(10)])
