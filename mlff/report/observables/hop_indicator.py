"""p_hop, its events and quiet stretches."""

import numpy as np

from mlff.analysis import System
from mlff.analysis.rearrangement.hop_indicator import HopIndicator
from mlff.report.observables.describe import describe
from mlff.report.panels import Curve, Curves, Description, Number
from mlff.units import PS

WIDTH = 0.25  # Å, of a bin of displacements


@describe.register
def _(result: HopIndicator, system: System) -> Description:
    middle = np.sqrt(result.edges[1:] * result.edges[:-1])
    error = result.error if np.isfinite(result.error).all() else None
    curve = Curve(system.mobile, middle, result.distribution, error, style="steps")
    levels = {"hop": result.cut, "quiet": result.low}
    panels = [Curves("p_hop", "p_hop, Å²", "share per decade", [curve], log_x=True, log_y=True, marks=levels)]
    lengths = np.concatenate([np.linalg.norm(run.displacement, axis=1) for run in result.runs])
    if len(lengths):
        edges = WIDTH * np.arange(int(lengths.max() / WIDTH) + 2)
        counts = np.histogram(lengths, edges)[0]
        shown = Curve(system.mobile, (edges[1:] + edges[:-1]) / 2, counts.astype(float), np.sqrt(counts), style="steps")
        panels.append(Curves("Hop lengths", "displacement, Å", "events", [shown], zero=True))
    counts = np.sort(np.concatenate([run.counts for run in result.runs]))
    share = 100 * (np.arange(len(counts)) + 0.5) / len(counts)
    panels.append(Curves("Hops of each ion", "share of ions, %", "events", [Curve(system.mobile, share, counts.astype(float))], zero=True))
    dropped = sum(int(run.dropped) for run in result.runs)
    return Description(
        "Hop indicator",
        "p_hop compares where an ion is before and after each moment; it needs no sites, and a hop back at once hides in the windows.",
        panels,
        [
            Number("hops per ion", result.rate),
            Number("hop length", result.displacement),
            Number("share of time in quiet stretches", result.quiet),
        ],
        [f"{len(lengths)} events with windows of {result.window / PS:g} ps; {dropped} more had not ended and are left out."],
    )
