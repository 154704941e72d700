"""The charts of the uncertainty section: do the intervals hold what they promise, and are they wide where the error is large?"""

import numpy as np

from mlff.report.axis import Axis
from mlff.report.chart import Chart
from mlff.report.curves import decades_extent, density
from mlff.report.plots import CELLS, N_COLOURS, SQUARE, Figure
from mlff.report.uncertainty import UncertaintyContent
from mlff.units import TO_MILLI

SIGMA = "uncertainty σ, meV/Å"


def uncertainty_figures(content: UncertaintyContent) -> list[Figure]:
    """Reliability, coverage and sparsification of all groups together, then the density of each."""
    return [_reliability(content), _coverage(content), _sparsification(content), *_densities(content)]


def _reliability(content: UncertaintyContent) -> Figure:
    bins = {name: group.bins for name, group in content.groups.items()}
    extent = decades_extent(*(TO_MILLI * v for b in bins.values() for v in (b.sigma, b.quantile, b.rms)), rare=0.0)
    chart = Chart(
        Axis(SIGMA, *extent, log=True),
        Axis("error, meV/Å", *extent, log=True),
        "Force error against predicted uncertainty, in bins of equally many atoms",
        **SQUARE,
    )
    chart.slope(1.0, "ideal")
    for (name, b), colour in zip(bins.items(), _colours(content), strict=True):
        chart.line(TO_MILLI * b.sigma, TO_MILLI * b.rms, colour, f"{name} RMS", dashed=True)
        chart.line(TO_MILLI * b.sigma, TO_MILLI * b.quantile, colour, name)
    caption = (
        "Solid: what 68 % of the force components err by less than; on the diagonal the interval is right at every size. Dashed: their "
        "root mean square, higher by what the tails add."
    )
    return Figure("Reliability", chart.svg(), caption, _legend(content))


def _coverage(content: UncertaintyContent) -> Figure:
    chart = Chart(
        Axis("promised, %", 0.0, 100.0),
        Axis("found inside, %", 0.0, 100.0),
        "Share of force components inside intervals against the share promised",
        **SQUARE,
    )
    chart.slope(1.0, "ideal")
    for (name, group), colour in zip(content.groups.items(), _colours(content), strict=True):
        shown = slice(None, None, 2)  # every percent
        chart.line(100 * group.coverage.expected[shown], 100 * group.coverage.observed[shown], colour, name)
    caption = "Gaussian intervals of growing width. Above the diagonal they are too wide, below too narrow."
    return Figure("Coverage", chart.svg(), caption, _legend(content))


def _sparsification(content: UncertaintyContent) -> Figure:
    curves = {name: group.sparsification for name, group in content.groups.items()}
    chart = Chart(
        Axis("most uncertain atoms left out, %", 0.0, 100.0),
        Axis.around("RMSE of the others, meV/Å", *(TO_MILLI * v for c in curves.values() for v in (c.remaining, c.oracle)), zero=True),
        "Force error of the remaining atoms when the most uncertain ones are left out",
        height=388,
    )
    for (name, curve), colour in zip(curves.items(), _colours(content), strict=True):
        chart.line(100 * curve.removed, TO_MILLI * curve.oracle, colour, f"{name} oracle", dashed=True)
        chart.line(100 * curve.removed, TO_MILLI * curve.remaining, colour, name)
    caption = "Dashed: the oracle, which leaves out the largest errors first. A level line would be an uncertainty that knows nothing."
    return Figure("Sparsification", chart.svg(), caption, _legend(content))


def _densities(content: UncertaintyContent) -> list[Figure]:
    figures = []
    for (name, group), colour in zip(content.groups.items(), _colours(content), strict=True):
        sigma, error = TO_MILLI * group.sigma, TO_MILLI * group.error
        extent = decades_extent(sigma, error)
        chart = Chart(
            Axis(SIGMA, *extent, log=True),
            Axis("error, meV/Å", *extent, log=True),
            f"Force error against uncertainty of every atom of {name}",
            hover="plane",
            **SQUARE,
        )
        chart.slope(1.0, "ideal")
        chart.density(density(*(np.log(np.maximum(v, extent[0])) for v in (sigma, error)), tuple(np.log(extent)), CELLS), colour)
        caption = f"{len(sigma):,} atoms; error: root mean square over the three components. Stronger colour, more atoms."
        figures.append(Figure(f"Uncertainty and error, {name}", chart.svg(), caption))
    return figures


def _colours(content: UncertaintyContent) -> list[int]:
    return [number % N_COLOURS for number in range(len(content.groups))]


def _legend(content: UncertaintyContent) -> tuple[tuple[int, str], ...]:
    return tuple(zip(_colours(content), content.groups, strict=True))
