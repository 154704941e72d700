"""What the displacements of the mobile ions say of its transport, all of it with errors or bounds."""

from dataclasses import dataclass

from mlff.analysis.conductivity.nernst_einstein import Haven, haven_ratio, nernst_einstein
from mlff.analysis.diffusion.diffusivity import Criteria, TracerDiffusivity, tracer_diffusivity
from mlff.analysis.diffusion.msd import Displacements
from mlff.analysis.estimate import Estimate, no_result

SIGMA = "S/cm"


@dataclass(frozen=True)
class Transport:
    """tracer: None where too little was recorded. diffusivity: D*, cm²/s. conductivity: of Nernst and Einstein from it, S/cm.

    haven: None where too little was recorded. collective: the conductivity of the motion of all ions together, S/cm: that of Nernst and
        Einstein over H_R.
    """

    tracer: TracerDiffusivity | None
    diffusivity: Estimate
    conductivity: Estimate
    haven: Haven | None
    collective: Estimate


def transport(displacements: Displacements, charge: float, temperature: float | None, criteria: Criteria | None = None) -> Transport:
    """Of runs of one condition.

    Args:
        charge: of an ion, e. temperature: K; None: no conductivity is told.
    """
    n_ions, volume = displacements.runs[0].total.shape[1], displacements.volume
    try:
        tracer = tracer_diffusivity(displacements, criteria)
    except ValueError as too_short:
        return untold(str(too_short))
    try:
        haven = haven_ratio(displacements)
    except ValueError as too_short:
        haven, collective = None, no_result(str(too_short), SIGMA)
    if temperature is None:
        unknown = no_result("the temperature is not known; give it", SIGMA)
        return Transport(tracer, tracer.diffusivity, unknown, haven, unknown)
    conductivity = nernst_einstein(tracer.diffusivity, n_ions, charge, volume, temperature)
    if haven is not None:
        collective = _over(conductivity, haven.haven_ratio)
    return Transport(tracer, tracer.diffusivity, conductivity, haven, collective)


def untold(reason: str) -> Transport:
    """Nothing can be said."""
    return Transport(None, no_result(reason, "cm²/s"), no_result(reason, SIGMA), None, no_result(reason, SIGMA))


def _over(conductivity: Estimate, ratio: Estimate) -> Estimate:
    """σ / H_R; both errors enter, the ratio's being the larger by far."""
    if not conductivity.known:
        return no_result("there is no value of the tracer diffusivity", SIGMA)
    if not ratio.known or ratio.value <= 0:
        return no_result(ratio.reason or "the Haven ratio is not positive", SIGMA)
    value = conductivity.value / ratio.value
    relative = ((conductivity.error / conductivity.value) ** 2 + (ratio.error / ratio.value) ** 2) ** 0.5
    return Estimate(value, value * relative, unit=SIGMA)
