"""What is drawn of a molecular dynamics run: displacements of each replica, conductivities, and series of time."""

import numpy as np

from mlff.report.arrhenius_panel import arrhenius_panel
from mlff.report.md_content import MdReport, Replica, TimeSeries
from mlff.report.panels import Curve, Curves

MOST_POINTS = 400  # of one curve of time; longer ones are averaged in blocks


def msd_panels(content: MdReport) -> list[Curves]:
    """Of each replica that moved: MSD against lag with its fit window and line, both axes logarithmic."""
    return [_msd(replica) for replica in content.replicas if replica.msd is not None and (replica.msd.msd > 0).any()]


def conductivity_panels(content: MdReport) -> list[Curves]:
    """log10 of σT against 1000/T of each constraint mode; none where nothing is known."""
    shown = [s for s in content.arrhenius if any(e.known or e.upper is not None for e in s.values.values())]
    return [arrhenius_panel("Arrhenius", "log₁₀ σT, S K/cm", shown)] if shown else []


def series_panels(content: MdReport) -> list[Curves]:
    """One per kind of series (temperature, energy, …), the replicas in it by colour."""
    by_label: dict[str, list[tuple[str, TimeSeries]]] = {}
    for replica in content.replicas:
        for series in replica.series:
            if len(series.times):
                by_label.setdefault(series.label, []).append((replica.name, series))
    return [_series(label, curves) for label, curves in by_label.items()]


def thin(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of blocks, at most MOST_POINTS."""
    if len(x) <= MOST_POINTS:
        return np.asarray(x), np.asarray(y)
    return tuple(np.array([part.mean() for part in np.array_split(v, MOST_POINTS)]) for v in (x, y))


def _msd(replica: Replica) -> Curves:
    curve = replica.msd
    x = np.geomspace(*curve.window, 30)
    exponent = f"; exponent {replica.exponent}" if replica.exponent.known else ""
    return Curves(
        replica.name,
        "lag, ps",
        "MSD, Å²",
        [
            Curve("all origins", curve.times, curve.msd, curve.error),
            Curve("first origin", curve.times, curve.single, style="dashed"),
            Curve("fit", x, curve.slope * x + curve.intercept),
        ],
        log_x=True,
        log_y=True,
        windows=[curve.window],
        caption=f"D {replica.diffusivity}{exponent}. Grey: the window of the fit.",
    )


def _series(label: str, curves: list[tuple[str, TimeSeries]]) -> Curves:
    most = max(len(series.times) for _, series in curves)
    return Curves(
        label.partition(",")[0].capitalize(),
        "time, ps",
        label,
        [Curve(name, *thin(series.times, series.values)) for name, series in curves],
        caption=f"Means of {-(-most // MOST_POINTS)} values each." if most > MOST_POINTS else "",
    )
