"""Displacements of the mobile ions, and what they say of its transport."""

import numpy as np

from mlff.analysis import Displacements, Estimate, System
from mlff.analysis.conductivity.sampling_advice import cell_size, run_length
from mlff.analysis.conductivity.transport import Transport, transport
from mlff.report.observables.describe import describe
from mlff.report.panels import Curve, Curves, Description, Number
from mlff.units import PS

AXES = "xyz"


@describe.register
def _(result: Displacements, system: System) -> Description:
    found = transport(result, system.charge, system.temperature)
    times, lag = result.times / PS, f"lag of {system.mobile}, ps"
    windows = [] if found.tracer is None else [tuple(end / PS for end in found.tracer.window)]
    per_ion = result.per_ion()
    correlation = 1.0 if found.tracer is None else found.tracer.correlation
    error = per_ion.std(axis=1) * np.sqrt(correlation / max(per_ion.shape[1] - 1, 1))
    curves = [
        Curve("all origins", times, per_ion.mean(1), error),
        Curve("first origin", times, result.msd("first_origin"), style="dashed"),
        Curve("collective", times, result.collective(), style="dashed"),
    ]
    axes = np.diagonal(result.tensor(), axis1=1, axis2=2)
    return Description(
        "Displacements",
        "Diffusion is a slope of 1 in the logarithmic plane, vibration a plateau; only a window that is linear gives a diffusivity. "
        "The collective curve, of all ions as one, is a single walker: its scatter is what it looks like.",
        [
            Curves("MSD", lag, "MSD, Å²", curves, log_x=True, log_y=True, windows=windows, caption="Grey: the window of the fit."),
            Curves(
                "MSD per axis",
                lag,
                "MSD along an axis, Å²",
                [Curve(name, times, axes[:, k]) for k, name in enumerate(AXES)],
                log_x=True,
                log_y=True,
                windows=windows,
            ),
        ],
        _numbers(found, system),
        _remarks(found, result),
    )


def _numbers(found: Transport, system: System) -> list[Number]:
    ion = system.mobile
    numbers = [
        Number(f"tracer diffusivity of {ion}", found.diffusivity),
        Number("conductivity, Nernst–Einstein", found.conductivity),
        Number("conductivity, collective", found.collective),
    ]
    if found.haven is not None:
        numbers += [Number("Haven ratio", found.haven.haven_ratio), Number("charge diffusivity", found.haven.charge_diffusivity)]
    if (tracer := found.tracer) is not None:
        numbers += [
            Number("exponent of the MSD", tracer.exponent),
            Number("tracer diffusivity, slope as fitted", tracer.fitted),
            Number("tracer diffusivity, MSD(t_max)/6t", tracer.end_point),
        ]
        if tracer.diffusivity.known:
            values = zip(AXES, np.diag(tracer.tensor), np.diag(tracer.tensor_error), strict=True)
            numbers += [Number(f"tracer diffusivity along {a}", Estimate(float(d), float(e), unit="cm²/s")) for a, d, e in values]
    return numbers


def _remarks(found: Transport, result: Displacements) -> list[str]:
    if found.tracer is None:
        return [f"No diffusivity: {found.diffusivity.reason}."]
    tracer, remarks = found.tracer, []
    if not tracer.diffusivity.known:
        remarks.append(f"No value of the diffusivity: {tracer.diffusivity.reason}.")
    seen = f"{tracer.jumps:.3g} jumps' worth of displacement"
    if tracer.expected_error is not None:
        seen += f", with which runs of this length are known to scatter by {tracer.expected_error:.0%} (He et al. 2018)"
    remarks.append(f"{seen[0].upper()}{seen[1:]}.")
    run = result.runs[0]
    advice = run_length(tracer.diffusivity, tracer.jumps / len(result.runs), run.duration, run.total.shape[1])
    remarks.append(f"For an error of 20 %: {advice.advice}.")
    remarks += [f"{warning[0].upper()}{warning[1:]}." for warning in cell_size(run.cell).warnings]
    if tracer.correlation > 1:
        remarks.append(f"Ions move together: the variance is {tracer.correlation:.2g} times that of independent ones, and counted so.")
    return remarks
