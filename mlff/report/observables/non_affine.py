"""D²_min and D_cum."""

import numpy as np

from mlff.analysis import System
from mlff.analysis.rearrangement.non_affine import NonAffineMotion
from mlff.report.observables.describe import describe
from mlff.report.panels import Curve, Curves, Description, Number
from mlff.units import PS


@describe.register
def _(result: NonAffineMotion, system: System) -> Description:
    middle = np.sqrt(result.edges[1:] * result.edges[:-1])
    error = result.error if np.isfinite(result.error).all() else None
    curve = Curve(system.mobile, middle, result.distribution, error, style="steps")
    panels = [
        Curves("D²_min", "D²_min, Å²", "share per decade", [curve], log_x=True, zero=True),
        Curves("D_cum", "share of ions, %", "D_cum, Å²", _ranked(result, system), log_y=True, caption="Each ion's sum over its run."),
    ]
    remarks = [f"{int(result.increments.sum())} increments of {result.increment / PS:g} ps; D_cum grows with their number."]
    if result.missing:
        remarks.append(f"{result.missing:.1%} of the values are missing: too few neighbours, or all in a plane.")
    return Description(
        "Non-affine motion",
        "How far ions leave the motion of their surroundings within one increment; vibration gives a narrow peak, hops a tail.",
        panels,
        [Number("mean D²_min", result.mean), *(Number(f"D²_min, {name} below", number) for name, number in result.percentiles.items())],
        remarks,
    )


def _ranked(result: NonAffineMotion, system: System) -> list[Curve]:
    """From the ion that moved least to the one that moved most."""
    curves = []
    for k, run in enumerate(result.d_cum):
        known = np.sort(run[np.isfinite(run)])
        name = system.mobile if len(result.d_cum) == 1 else f"run {k + 1}"
        if len(known):
            curves.append(Curve(name, 100 * (np.arange(len(known)) + 0.5) / len(known), known))
    return curves
