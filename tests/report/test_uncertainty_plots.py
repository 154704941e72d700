import dataclasses
import html
import json
import re

import numpy as np
import pytest

from mlff.report import UncertaintyContent
from mlff.report.uncertainty_plots import uncertainty_figures


def series(figure):
    """name → (x, y) of what a pointer reads off."""
    hover = json.loads(html.unescape(re.search(r"data-hover='(.*?)'", figure.svg)[1]))
    return {s["name"]: (np.array(s["x"]), np.array(s["y"])) for s in hover["series"]}


def test_the_charts_show_the_curves_in_mev_and_percent(content):
    reliability, coverage, sparsification, *densities = uncertainty_figures(content.uncertainty)
    lithium = content.uncertainty.groups["Li"]
    x, y = series(reliability)["Li"]
    np.testing.assert_allclose(x, 1e3 * lithium.bins.sigma, rtol=1e-4)  # five digits are kept
    np.testing.assert_allclose(y, 1e3 * lithium.bins.quantile, rtol=1e-4)
    np.testing.assert_allclose(series(reliability)["Li RMS"][1], 1e3 * lithium.bins.rms, rtol=1e-4)
    x, y = series(coverage)["framework"]
    assert (x[0], x[-1], y[-1]) == (0, 100, 100)
    np.testing.assert_allclose(
        y[50], 100 * np.interp(0.5, *dataclasses.astuple(content.uncertainty.groups["framework"].coverage)), rtol=1e-4
    )
    found = series(sparsification)
    assert list(found) == ["Li oracle", "Li", "framework oracle", "framework", "all oracle", "all"]
    assert (found["Li"][1] >= found["Li oracle"][1] - 1e-3).all()
    assert [f.title for f in densities] == [f"Uncertainty and error, {name}" for name in ("Li", "framework", "all")]


def test_honest_uncertainties_lie_on_the_diagonal(rng):
    """Cells of the density chart of σ = error: all on the diagonal, none elsewhere."""
    sigma = 0.02 * 10 ** rng.random(400)
    exact = UncertaintyContent.from_arrays(sigma, sigma, sigma[:, None] * np.ones(3), np.full(400, "Li"))
    cells = [
        (int(c), int(r), int(n))
        for path in re.findall(r'class="density.*? d="(.*?)"', uncertainty_figures(exact)[3].svg)
        for c, r, n in re.findall(r"M(\d+) (\d+)h(\d+)v", path)
    ]
    assert len(cells) > 30
    assert all(abs(column - row) <= 1 and length == 1 for column, row, length in cells)  # rounding may cross the edge of a cell


@pytest.mark.parametrize("n", [1, 30])
def test_a_few_atoms_make_a_section_too(rng, n):
    few = UncertaintyContent.from_arrays(np.full(n, 0.1), np.full(n, 0.1), rng.normal(size=(n, 3)), np.full(n, "Li"))
    assert len(uncertainty_figures(few)) == 4


def test_errors_of_zero_are_drawn_at_the_rim():
    exact = UncertaintyContent.from_arrays(np.full(30, 0.1), np.full(30, 0.1), np.zeros((30, 3)), np.full(30, "Li"))
    assert "30 atoms" in uncertainty_figures(exact)[3].caption
