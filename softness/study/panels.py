"""Findings as panels, numbers and tables of the report."""

from collections.abc import Mapping, Sequence

import numpy as np

from mlff.report.analysis_page import Observed
from mlff.report.md_tables import cell
from mlff.report.panels import Curve, Curves, Description, Number
from mlff.report.tables import Row, Table
from softness.activation import Activation
from softness.barriers import Band
from softness.correlation import Trend, mean_of_groups
from softness.study.barriers import alike, medians
from softness.study.findings import Findings
from softness.study.fits import Fit

S = "softness"


def accuracy_table(fits: Mapping[tuple[str, float], Fit]) -> Table:
    """One row for each share and choice of neighbours."""
    head = (
        ("neighbours, share at each end", ""),
        ("train", "%"),
        ("test", "%"),
        ("balanced", "%"),
        ("AUC", ""),
        ("P(S>0 | mobile)", "%"),
        ("P(S>0)", "%"),
        ("permuted labels", "%"),
        ("rows", "train / test"),
    )
    rows = []
    for (name, percent), fit in fits.items():
        v = fit.validation
        percents = [cell(e.times(100, "")) for e in (v.train, v.test, v.balanced)]
        more = [cell(e.times(100, "")) for e in (v.soft_of_mobile, v.soft, v.control)]
        rows.append(Row(f"{name}, {percent:g} %", (*percents, cell(v.auc), *more, f"{v.n_train:,} / {v.n_test:,}")))
    rows += [
        Row(f"{name}, {percent:g} %: {doubt}.", (), kind="remark")
        for (name, percent), fit in fits.items()
        for doubt in fit.validation.doubts
    ]
    return Table("How well planes tell mobile from immobile", head, tuple(rows))


def plane_description(fit: Fit) -> Description:
    """Weights by species and distance, the learning curve and the choice of C."""
    plane, functions = fit.softness.plane, fit.softness.functions
    weights = plane.weights_.reshape(len(functions.neighbour_species), -1) / np.linalg.norm(plane.weights_)
    curves = [Curve(symbol, functions.rungs, row) for symbol, row in zip(functions.neighbour_species, weights, strict=True)]
    panels = [
        Curves(
            "Weights",
            "distance μ, Å",
            "weight",
            curves,
            levels={"": 0.0},
            caption="Of standardised functions; above 0 what is there makes soft.",
        )
    ]
    v = fit.validation
    panels.append(
        Curves("Learning curve", "training rows", "test accuracy", [Curve("test", v.curve_rows, v.curve, style="line")], log_x=True)
    )
    if plane.losses_:
        C = np.array(list(plane.losses_))
        loss = Curve("left out", C, np.array(list(plane.losses_.values())))
        panels.append(Curves("Choice of C", "C", "loss of rows left out", [loss], log_x=True, marks={"chosen": plane.C_}))
    numbers = [
        Number("test accuracy", v.test),
        Number("balanced accuracy", v.balanced),
        Number("AUC", v.auc),
        Number("accuracy with permuted labels", v.control),
        Number("Brier score of the calibrated probability", v.brier),
    ]
    said = Curve.where_known("test", v.said, v.seen, v.seen_error)
    panels.append(
        Curves(
            "Calibration",
            "p(mobile) as told",
            "share of mobile rows",
            [said, Curve("perfect", np.array([0.0, 1.0]), np.array([0.0, 1.0]), style="dashed")],
        )
    )
    return Description(
        "The plane", "Fitted to whole trajectories, told on others; rows of one particle stay together in the choice of C.", panels, numbers
    )


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


def activation_description(found: Activation) -> Description:
    """ln P_R against 1/T, and its slopes and intercepts against softness."""
    lead = "P_R(S, T) = exp(Σ(S) − ΔE(S)/kT): errors P/√N, lines unweighted; bins with fewer than ten hops are left out."
    x = 1000 / found.temperatures
    lines = [
        Curve(f"S = {s:.2g}", x, p, None, style="points")
        for s, p in zip(found.softness, found.probability.T, strict=True)
        if np.isfinite(p).any()
    ]
    panels = [Curves("Rearranging", "1000/T, 1/K", "P_R in a window", lines, log_y=True)]
    known = np.isfinite(found.barrier)
    if known.any():
        panels.append(
            Curves(
                "Barrier", S, "ΔE, eV", [Curve.where_known("ΔE", found.softness[known], found.barrier[known], found.barrier_error[known])]
            )
        )
        panels.append(
            Curves(
                "Prefactor", S, "Σ", [Curve.where_known("Σ", found.softness[known], found.prefactor[known], found.prefactor_error[known])]
            )
        )
    by_softness = [
        Curve(f"{T:g} K", found.softness[seen], p[seen], e[seen], style="points")
        for T, p, e in zip(found.temperatures, found.probability, found.error, strict=True)
        if (seen := np.isfinite(p)).any()
    ]
    if not lines:
        return Description("Activation", lead, (), (), ["No bin of softness has ten rearrangements at one temperature."])
    panels.insert(0, Curves("Rearranging by softness", S, "P_R in a window", by_softness, log_y=True))
    remarks = [] if known.any() else ["No line of ln P against 1/T: that takes three temperatures with ten hops in a bin."]
    return Description("Activation", lead, panels, (), remarks)


def barrier_description(bands: Sequence[Band]) -> Description:
    """Energies along paths, and barriers of the two ways."""
    good = [band for band in bands if not band.trouble]
    panels, numbers = [], []
    if good:
        ways = {"soft → hard": np.sort([b.forward for b in good]), "hard → soft": np.sort([b.back for b in good])}
        share = 100 * (np.arange(len(good)) + 0.5) / len(good)
        panels.append(
            Curves(
                "Barriers", "barrier, eV", "share below, %", [Curve(name, x, share, style="line") for name, x in ways.items()], zero=True
            )
        )
        paths = [Curve(f"{b.start} → {b.end}", np.linspace(0, 1, len(b.energies)), b.energies) for b in good[:8]]
        panels.append(Curves("Paths", "soft 0 → hard 1", "energy, eV", paths))
        numbers = medians(good)
    remarks = [f"{len(good)} of {len(bands)} paths count.", *([alike(good)] if good else [])] + [
        f"{b.start} → {b.end}: {b.trouble}." for b in bands if b.trouble
    ]
    lead = (
        "Single ions that take the place of another, which is missing: E_max − E_soft and E_max − E_hard of the same band; their "
        "difference is that of the ends."
    )
    return Description("Barriers", lead, panels, numbers, remarks)


def observed(
    fit: Fit, found: Sequence[Findings], line: Activation | None, bands: Sequence[Band], whole: Mapping[str, Description]
) -> list[Observed]:
    """Sections of the report, in order. whole: descriptions of all trajectories together, by name."""
    sections = [
        Observed("plane", {fit.softness.centre: plane_description(fit)}),
        *(Observed(name, {"": description}) for name, description in whole.items()),
        Observed("trajectories", {each.name: trajectory_description(each) for each in found}),
    ]
    if line is not None:
        sections.append(Observed("activation", {"": activation_description(line)}))
    if bands:
        sections.append(Observed("barriers", {"": barrier_description(bands)}))
    return sections


def _of_trend(name: str, found: Trend) -> Curve:
    return Curve.where_known(name, found.x, found.y, found.error)
