"""The figures of a molecular dynamics run as PNG files, for a paper or a talk."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from mlff.report.figures import draw_pictures
from mlff.report.look import COLOURS, GUIDE, round_ticks
from mlff.report.md_content import MdReport, Replica, TimeSeries
from mlff.report.md_plots import arrhenius_points, by_label, line_ends, thin


def write_md_figures(folder: str | Path, content: MdReport, *, dpi: int = 200) -> list[Path]:
    """Writes msd.png, arrhenius.png and time_series.png where the content has them; returns their paths."""
    drawn: dict[str, list[Callable[[Axes], None]]] = {
        "msd": [partial(_msd, replica=r) for r in content.replicas if r.msd is not None and (r.msd.msd > 0).any()],
        "arrhenius": [partial(_arrhenius, content=content)] if content.arrhenius else [],
        "time_series": [partial(_series, label=label, curves=curves) for label, curves in by_label(content).items()],
    }
    return draw_pictures(folder, drawn, dpi)


def _msd(axes: Axes, replica: Replica) -> None:
    curve = replica.msd
    seen, once = curve.msd > 0, curve.single > 0
    t, y, error = curve.times[seen], curve.msd[seen], curve.error[seen]
    axes.axvspan(*curve.window, color=GUIDE["color"], alpha=0.12, linewidth=0)
    axes.plot(curve.times[once], curve.single[once], color=COLOURS[6], linestyle="--", linewidth=1, label="first origin")
    axes.fill_between(t, np.maximum(y - error, y / 1e3), y + error, color=COLOURS[0], alpha=0.16, linewidth=0)
    axes.plot(t, y, color=COLOURS[0], label="all origins")
    x = np.geomspace(*curve.window, 30)
    if (curve.slope * x + curve.intercept > 0).all():
        axes.plot(x, curve.slope * x + curve.intercept, color=COLOURS[1], label="fit")
    axes.set(xscale="log", yscale="log", xlabel="lag, ps", ylabel="MSD, Å²", title=replica.name)
    for axis in (axes.xaxis, axes.yaxis):
        round_ticks(axis)
    words = f"D {replica.diffusivity}" if replica.diffusivity.known or replica.diffusivity.upper is not None else "no result"
    axes.text(0.05, 0.95, words, transform=axes.transAxes, va="top")
    axes.legend(loc="lower right")


def _arrhenius(axes: Axes, content: MdReport) -> None:
    for number, series in enumerate(content.arrhenius):
        colour, p = COLOURS[number % len(COLOURS)], arrhenius_points(series)
        y = np.array(p["y"])
        axes.errorbar(p["x"], y, [y - p["low"], np.array(p["high"]) - y], fmt="o", markersize=4, capsize=2, color=colour, label=series.mode)
        axes.errorbar(p["bound_x"], p["bound_y"], yerr=0.3, uplims=True, fmt="_", markersize=8, color=colour)
        if (p["x"] or p["bound_x"]) and (line := line_ends(series.line, [*p["x"], *p["bound_x"]])) is not None:
            axes.plot(*line, color=colour, linestyle="--", linewidth=1)
    axes.set(xlabel="1000/T, K⁻¹", ylabel="log₁₀ σT, S K/cm")
    axes.legend()


def _series(axes: Axes, label: str, curves: list[tuple[str, TimeSeries]]) -> None:
    for number, (name, series) in enumerate(curves):
        axes.plot(*thin(series.times, series.values), color=COLOURS[number % len(COLOURS)], linewidth=1, label=name)
    axes.set(xlabel="time, ps", ylabel=label, title=label.partition(",")[0])
    if len(curves) <= len(COLOURS):
        axes.legend(fontsize=7)
