"""The uncertainty section's charts as panels of a figure on paper."""

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from mlff.report.curves import decades_extent, density
from mlff.report.look import COLOURS, GUIDE, round_ticks, shades
from mlff.report.uncertainty import GroupUncertainty, UncertaintyContent
from mlff.units import TO_MILLI

CELLS = 80


def uncertainty_panels(content: UncertaintyContent) -> list[Callable[[Axes], None]]:
    """Reliability, coverage and sparsification of all groups, then the density of each."""
    densities = [
        lambda axes, name=name, group=group, colour=colour: _density(axes, name, group, colour)
        for (name, group), colour in _coloured(content)
    ]
    return [
        lambda axes: _reliability(axes, content),
        lambda axes: _coverage(axes, content),
        lambda axes: _sparsification(axes, content),
        *densities,
    ]


def _coloured(content: UncertaintyContent) -> list[tuple[tuple[str, GroupUncertainty], str]]:
    return [(item, COLOURS[number % len(COLOURS)]) for number, item in enumerate(content.groups.items())]


def _reliability(axes: Axes, content: UncertaintyContent) -> None:
    for (name, group), colour in _coloured(content):
        b = group.bins
        axes.plot(TO_MILLI * b.sigma, TO_MILLI * b.quantile, color=colour, label=name)
        axes.plot(TO_MILLI * b.sigma, TO_MILLI * b.rms, color=colour, linestyle="--", linewidth=1)
    extent = decades_extent(*(TO_MILLI * v for g in content.groups.values() for v in (g.bins.sigma, g.bins.quantile, g.bins.rms)), rare=0.0)
    _logarithmic(axes, extent)
    axes.set(title="reliability (68 %; dashed: RMS)", ylabel="force error, meV/Å")
    axes.legend()


def _coverage(axes: Axes, content: UncertaintyContent) -> None:
    axes.plot([0, 100], [0, 100], **GUIDE)
    for (name, group), colour in _coloured(content):
        axes.plot(100 * group.coverage.expected, 100 * group.coverage.observed, color=colour, label=name)
    axes.set(title="coverage", xlabel="promised, %", ylabel="found inside, %", xlim=(0, 100), ylim=(0, 100), aspect="equal")


def _sparsification(axes: Axes, content: UncertaintyContent) -> None:
    for (_, group), colour in _coloured(content):
        curve = group.sparsification
        axes.plot(100 * curve.removed, TO_MILLI * curve.remaining, color=colour)
        axes.plot(100 * curve.removed, TO_MILLI * curve.oracle, color=colour, linestyle="--", linewidth=1)
    axes.set(
        title="sparsification (dashed: oracle)",
        xlabel="most uncertain atoms left out, %",
        ylabel="RMSE of the others, meV/Å",
        xlim=(0, 100),
    )
    axes.set_ylim(bottom=0)


def _density(axes: Axes, name: str, group: GroupUncertainty, colour: str) -> None:
    sigma, error = TO_MILLI * group.sigma, TO_MILLI * group.error
    extent = decades_extent(sigma, error)
    counts = density(*(np.log(np.maximum(v, extent[0])) for v in (sigma, error)), tuple(np.log(extent)), CELLS)
    edges = np.geomspace(*extent, CELLS + 1)
    norm = LogNorm(1, max(counts.max(), 2))
    axes.pcolormesh(edges, edges, np.ma.masked_equal(counts, 0), cmap=shades(colour), norm=norm, zorder=2, rasterized=True)
    _logarithmic(axes, extent)
    rank = group.metrics["spearman"]
    axes.text(0.05, 0.95, "" if rank is None else f"Spearman {rank:.2f}", transform=axes.transAxes, va="top")
    axes.set(title=name, ylabel="force error, meV/Å")


def _logarithmic(axes: Axes, extent: tuple[float, float]) -> None:
    axes.plot(extent, extent, **GUIDE)
    axes.set(xscale="log", yscale="log", xlim=extent, ylim=extent, aspect="equal", xlabel="uncertainty σ, meV/Å")
    for axis in (axes.xaxis, axes.yaxis):
        round_ticks(axis)
