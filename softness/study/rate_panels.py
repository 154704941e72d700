"""How often and over which barriers ions move, by their softness, as panels and numbers."""

from collections.abc import Sequence

import numpy as np

from mlff.report.panels import Curve, Curves, Description
from softness.activation import Activation
from softness.barriers import Band
from softness.study.barriers import alike, medians

S = "softness"  # label of the axis


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
