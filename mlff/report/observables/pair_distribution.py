"""g(r) and coordination numbers."""

import numpy as np

from mlff.analysis import Estimate, PairDistribution, System
from mlff.report.observables.describe import describe
from mlff.report.panels import Curve, Curves, Description, Number, known_error

SHELL = (1.5, 4.0)  # Å, where the first minimum after the first maximum is looked for


@describe.register
def _(result: PairDistribution, system: System) -> Description:
    panels = []
    for pair, g in result.g.items():
        title = f"g(r), {'–'.join(pair)}"
        panels.append(Curves(title, "r, Å", "g(r)", [Curve("–".join(pair), result.r, g, known_error(result.error[pair]))], zero=True))
    first = [pair for pair in result.coordination if pair[0] == system.mobile]
    within = [Curve(f"{b} around {a}", result.edges[1:], result.coordination[a, b]) for a, b in first]
    panels.append(Curves("Coordination", "r, Å", "neighbours within r", within, zero=True))
    return Description(
        "Pairs",
        "How often a distance occurs, relative to ideal gas of the same density; sharp peaks are a framework, smooth ones a liquid.",
        panels,
        [Number(f"coordination of {a} by {b}", number) for a, b in first if (number := _first_shell(result, a, b)) is not None],
        [f"Counted in {result.n_frames} frames."],
    )


def _first_shell(result: PairDistribution, a: str, b: str) -> Estimate | None:
    """Neighbours up to the first minimum; its error is that of the place of the minimum, one bin."""
    g, counts = result.g.get((a, b), result.g.get((b, a))), result.coordination[a, b]
    near = (result.r > SHELL[0]) & (result.r < SHELL[1])
    if not g[near].max(initial=0.0) > 1:
        return None
    peak = int(np.flatnonzero(near)[np.argmax(g[near])])
    behind = np.flatnonzero((np.arange(len(g)) > peak) & (result.r < result.r[peak] + 2.0))
    if len(behind) < 2:
        return None
    dip = int(behind[np.argmin(g[behind])])
    spread = counts[min(dip + 1, len(counts) - 1)] - counts[max(dip - 1, 0)]
    return Estimate(float(counts[dip]), float(spread) / 2)
