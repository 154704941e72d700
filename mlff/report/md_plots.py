"""The charts of a molecular dynamics report."""

import numpy as np

from mlff.analysis import Arrhenius, Estimate
from mlff.report.axis import Axis
from mlff.report.chart import Chart
from mlff.report.md_content import ArrheniusSeries, MdReport, Replica, TimeSeries
from mlff.report.plots import N_COLOURS, Figure

MOST_POINTS = 400  # of one curve of time; longer ones are averaged in blocks
SHORTEST = 0.1  # of the value: where an error bar ends that would reach below zero


def msd_figures(content: MdReport) -> list[Figure]:
    """Of each replica: MSD against lag with its fit window and line, both axes logarithmic."""
    return [_msd(replica) for replica in content.replicas if replica.msd is not None and (replica.msd.msd > 0).any()]


def _msd(replica: Replica) -> Figure:
    curve = replica.msd
    seen = curve.msd > 0
    t, y, error = curve.times[seen], curve.msd[seen], curve.error[seen]
    chart = Chart(
        Axis.around("lag, ps", t, log=True),
        Axis.around("MSD, Å²", y, curve.single, log=True),
        f"Mean squared displacement of {replica.name}",
    )
    chart.window(*curve.window)
    once = curve.single > 0
    chart.line(curve.times[once], curve.single[once], 6, "first origin", dashed=True)
    chart.band(t, np.maximum(y - error, y / 1e3), y + error, 0)
    chart.line(t, y, 0, "all origins")
    x = np.geomspace(*curve.window, 30)
    fitted = curve.slope * x + curve.intercept
    if (fitted > 0).all():
        chart.line(x, fitted, 1, "fit")
    legend = ((0, "all origins"), (6, "first origin"), (1, "fit"))
    exponent = f"; exponent {replica.exponent}" if replica.exponent.known else ""
    return Figure(f"{replica.name}", chart.svg(), f"D {replica.diffusivity}{exponent}. Grey: the window of the fit.", legend)


def arrhenius_figure(content: MdReport) -> Figure | None:
    """log10 of σT against 1000/T of each constraint mode; arrows are upper bounds."""
    shown = [s for s in content.arrhenius if any(e.known or e.upper is not None for e in s.values.values())]
    if not shown:
        return None
    points = {s.mode: arrhenius_points(s) for s in shown}
    x = np.concatenate([[*p["x"], *p["bound_x"]] for p in points.values()])
    y = np.concatenate([[*p["low"], *p["high"], *p["bound_y"], *(b - 0.5 for b in p["bound_y"])] for p in points.values()])
    chart = Chart(
        Axis.around("1000/T, K⁻¹", x),
        Axis.around("log₁₀ σT, S K/cm", y),
        "Logarithm of conductivity times temperature against inverse temperature, per constraint mode",
        height=340,
        hover="values",
    )
    for number, series in enumerate(shown):
        colour, p = number % N_COLOURS, points[series.mode]
        line = line_ends(series.line, [*p["x"], *p["bound_x"]])
        if line is not None:
            chart.line(*line, colour, f"{series.mode}, line", dashed=True)
        chart.errors(p["x"], p["low"], p["high"], colour)
        chart.marks(p["x"], p["y"], colour, series.mode)
        chart.upper_limits(p["bound_x"], p["bound_y"], colour, f"{series.mode}, upper bound")
    legend = tuple((number % N_COLOURS, series.mode) for number, series in enumerate(shown))
    return Figure("Arrhenius", chart.svg(), "Bars: one standard deviation. Arrows: 95 % upper bounds, which are not fitted.", legend)


def arrhenius_points(series: ArrheniusSeries) -> dict[str, list[float]]:
    """1000/T (K⁻¹) and log10 σT with the ends of the error bars, and the upper bounds."""
    known = {t: e for t, e in sorted(series.values.items()) if e.known}
    bounds = {t: e for t, e in sorted(series.values.items()) if not e.known and e.upper is not None}
    bars = [_log_bar(e) for e in known.values()]
    return {
        "x": [1000 / t for t in known],
        "y": [middle for _, middle, _ in bars],
        "low": [low for low, _, _ in bars],
        "high": [high for _, _, high in bars],
        "bound_x": [1000 / t for t in bounds],
        "bound_y": [float(np.log10(e.upper)) for e in bounds.values()],
    }


def line_ends(line: Arrhenius, x: list[float]) -> tuple[list[float], list[float]] | None:
    """The fitted line over these 1000/T, None where there is none."""
    if line.coefficients is None:
        return None
    ends = [min(x), max(x)]
    return ends, [line.log10_at(1000 / end).value for end in ends]


def series_figures(content: MdReport) -> list[Figure]:
    """One chart per kind of series (temperature, energy, …), the replicas in it by colour."""
    return [_series(label, curves) for label, curves in by_label(content).items()]


def by_label(content: MdReport) -> dict[str, list[tuple[str, TimeSeries]]]:
    """The series of all replicas that share an axis, with the replicas' names."""
    found: dict[str, list[tuple[str, TimeSeries]]] = {}
    for replica in content.replicas:
        for series in replica.series:
            if len(series.times):
                found.setdefault(series.label, []).append((replica.name, series))
    return found


def _series(label: str, curves: list[tuple[str, TimeSeries]]) -> Figure:
    thinned = [(name, *thin(s.times, s.values)) for name, s in curves]
    chart = Chart(
        Axis.around("time, ps", *(t for _, t, _ in thinned), zero=True),
        Axis.around(label, *(v for _, _, v in thinned)),
        f"{label} of each replica against time",
    )
    for number, (name, t, v) in enumerate(thinned):
        chart.line(t, v, number % N_COLOURS, name)
    legend = tuple((number % N_COLOURS, name) for number, (name, _, _) in enumerate(thinned)) if len(thinned) <= N_COLOURS else ()
    most = max(len(s.times) for _, s in curves)
    caption = f"Means of {-(-most // MOST_POINTS)} values each." if most > MOST_POINTS else ""
    return Figure(label.partition(",")[0].capitalize(), chart.svg(), caption, legend)


def thin(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of blocks, at most MOST_POINTS."""
    if len(x) <= MOST_POINTS:
        return np.asarray(x), np.asarray(y)
    return tuple(np.array([part.mean() for part in np.array_split(v, MOST_POINTS)]) for v in (x, y))


def _log_bar(estimate: Estimate) -> tuple[float, float, float]:
    """log10 of value − error, value and value + error."""
    low = max(estimate.value - estimate.error, SHORTEST * estimate.value)
    return tuple(float(np.log10(v)) for v in (low, estimate.value, estimate.value + estimate.error))
