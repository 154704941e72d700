"""The distance of the ions from the nearest anion."""

from mlff.analysis import Estimate, System
from mlff.analysis.anions.anion_distance import AnionDistance
from mlff.report.observables.describe import describe
from mlff.report.panels import Curve, Curves, Description, Number


@describe.register
def _(result: AnionDistance, system: System) -> Description:
    ion, energy = system.mobile, f"free energy, {result.unit}"
    kinds = list(result.probability)
    panels = [
        Curves(
            "Distance from the anion",
            "r, Å",
            "probability, 1/Å",
            [Curve.where_known(kind, result.r, result.probability[kind], result.probability_error[kind]) for kind in kinds],
            zero=True,
        ),
        Curves(
            "Free energy of the distance",
            "r, Å",
            energy,
            [Curve.where_known(kind, result.r, result.free_energy[kind], result.free_energy_error[kind]) for kind in kinds],
            zero=True,
            caption="−kT ln(P / 4πr²): too high beyond half the distance of two anions, where the sphere reaches into other regions.",
        ),
        Curves(
            "Free energy by volume",
            "r, Å",
            energy,
            [
                Curve.where_known(kind, result.r, result.free_energy_by_volume[kind], result.free_energy_by_volume_error[kind])
                for kind in kinds
            ],
            zero=True,
            caption="−kT ln(P / v), with the volume that really is as far from its nearest anion.",
        ),
    ]
    remarks = [f"Counted in {result.n_frames} frames."]
    remarks += [
        f"{100 * share:.3g} % of the {ion} are further than {result.edges[-1]:g} Å from any {kind}."
        for kind, share in result.beyond.items()
        if share > 0
    ]
    number: list[tuple[str, Estimate]] = [(f"mean distance, {ion}–{kind}", mean) for kind, mean in result.mean.items()]
    return Description(
        "Anion distance",
        "How far an ion is from the centre of mass of the nearest anion; a barrier in the free energy is what it takes to change anions.",
        panels,
        [Number(name, estimate) for name, estimate in number],
        remarks,
    )
