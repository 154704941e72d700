"""What a plane tells of one trajectory, as panels and numbers."""

import numpy as np

from mlff.report.panels import Curve, Curves, Description, Number
from softness.correlation import Trend, mean_of_groups
from softness.study.findings import Findings

S = "softness"  # label of the axis


def trajectory_description(found: Findings) -> Description:
    """Of one trajectory: distributions, environments, correlations."""
    values = found.softness.reshape(-1)
    edges = np.linspace(*np.quantile(values, (0.001, 0.999)), 41)
    middle = (edges[1:] + edges[:-1]) / 2
    histogram = lambda x: np.histogram(x, edges, density=True)[0]  # noqa: E731
    panels = [Curves("Softness", S, "density", [Curve("all ions", middle, histogram(values), style="steps")], marks={"plane": 0.0})]
    if found.near:
        by_unit = [Curve(kind, middle, histogram(x), style="steps") for kind, (x, *_) in found.near.items() if len(x) > 1]
        panels.append(
            Curves(
                "Softness near units",
                S,
                "density",
                by_unit,
                marks={"plane": 0.0},
                caption="Of ions within 5 Å of a centre; an ion may be near several.",
            )
        )
    if found.shares:
        curves = [_of_trend(kind, t) for kind, t in found.shares.items()]
        panels.append(Curves("Ligands around", S, "share of ligands within 5 Å", curves))
    if found.volume is not None:
        panels.append(Curves("Voronoi volume", S, "volume, Å³", [_of_trend("ions", found.volume)]))
    if found.energy is not None:
        panels.append(Curves("Potential energy", S, "energy, eV", [_of_trend("ions", found.energy)]))
    for word in ("soft", "hard"):
        curves = [Curve(name.removesuffix(f", {word}"), found.r, g) for name, g in found.g.items() if name.endswith(word)]
        if curves:
            panels.append(Curves(f"g(r) of {word} ions", "r, Å", "g(r)", curves, levels={"": 1.0}))
    panels.append(
        Curves(
            "Alike in space",
            "distance, Å",
            "correlation",
            [Curve.where_known("S", found.space.x, found.space.value, found.space.error)],
            levels={"": 0.0},
        )
    )
    if found.time is not None:
        panels.append(
            Curves(
                "Alike in time",
                "time, ps",
                "correlation",
                [Curve.where_known("S", found.time.x, found.time.value, found.time.error)],
                log_x=True,
                levels={"": 0.0},
            )
        )
    motion = np.sort(found.d_cum[np.isfinite(found.d_cum)])
    share = 100 * (np.arange(len(motion)) + 0.5) / max(1, len(motion))
    panels.append(Curves("Motion", "share of ions, %", "motion in a window, Å²", [Curve("ions", share, motion)], log_y=True))
    numbers = [
        Number("mean softness", mean_of_groups(values, np.tile(np.arange(found.softness.shape[1]), len(found.softness)))),
        *(Number(f"mean softness near {kind}", mean_of_groups(x, who)) for kind, (x, who, _) in found.near.items() if len(x) > 1),
        *(
            Number(f"mean square displacement in a window near {kind}", mean_of_groups(moved, who).times(1.0, "Å²"))
            for kind, (x, who, moved) in found.near.items()
            if len(x) > 1
        ),
    ]
    trends = {"volume": found.volume, "energy": found.energy} | {f"share of {kind}": t for kind, t in found.shares.items()}
    trends = {name: t for name, t in trends.items() if t is not None and t.pearson.known}
    numbers += [Number(f"correlation with the {name}", t.pearson) for name, t in trends.items()]
    bins = ", ".join(f"{name} {t.of_bins:.2f}" for name, t in trends.items())
    remarks = [f"Correlations of the means in bins of softness, near ±1 for any trend however weak: {bins}."] if bins else []
    if found.units:
        remarks.append("Units in the first structure: " + ", ".join(f"{n} {kind}" for kind, n in found.units.items()) + ".")
    if found.deviation:
        told = ", ".join(f"{symbol} {1000 * value:.0f}" for symbol, value in found.deviation.items())
        remarks.append(f"Deviation of forces among the members of the potential, rms, meV/Å: {told}.")
    return Description(
        "Trajectories", "Softness of the structure before each window of motion, of every mobile ion.", panels, numbers, remarks
    )


def _of_trend(name: str, found: Trend) -> Curve:
    return Curve.where_known(name, found.x, found.y, found.error)
