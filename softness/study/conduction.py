"""How fast the ions of a study move at all: diffusivity and conductivity by temperature and structure (papers 004, figure 2)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mlff.analysis import MeanSquareDisplacement, times_temperature
from mlff.report.arrhenius_panel import Measured, arrhenius_panel
from mlff.report.md_tables import ROOM
from mlff.report.panels import Description, Number
from mlff.run.analysis.content import arrhenius_lines, labels_of
from mlff.run.analysis.outcome import Outcome, outcomes
from mlff.run.analysis.sources import Source


def conduction(sides: dict[str, Sequence[Source]], folder: Path, measured: Sequence[Measured] = ()) -> Description:
    """Of all trajectories, by the name of the side: those of one structure and temperature are joined, whichever side they are of.

    folder: of what was read before. measured: σT in S K/cm that others found, to be drawn beside.
    """
    sources = [replace(source, name=f"{side}_{source.name}") for side, of in sides.items() for source in of]
    found = outcomes(sources, {"msd": MeanSquareDisplacement.of}, folder, threads=1, follow=None)
    diffusion = arrhenius_lines(found, lambda transport, _: transport.diffusivity)
    conductivity = arrhenius_lines(found, lambda transport, temperature: times_temperature(transport.conductivity, temperature))
    panels = []
    if diffusion:
        panels = [
            arrhenius_panel("Diffusivity", "log₁₀ D, cm²/s", diffusion),
            arrhenius_panel("Conductivity", "log₁₀ σT, S K/cm", conductivity, measured),
        ]
    numbers = [
        Number(f"D*, {name} {temperature:g} K".replace("  ", " "), value)
        for name, line in ((line.mode, line) for line in diffusion)
        for temperature, value in sorted(line.values.items())
    ]
    for line in conductivity:
        if line.line.coefficients is not None:
            room = line.line.at(ROOM).times(1 / ROOM, "S/cm")
            numbers += [
                Number(f"activation energy, {line.mode}", line.line.activation_energy),
                Number(f"σ at {ROOM:g} K, {line.mode}", room),
            ]
    remarks = [f"{name}: {reason}." for name, outcome in labels_of(found).items() for reason in _reasons(outcome)]
    return Description(
        "Conduction",
        "Tracer diffusivity and the conductivity of Nernst and Einstein, as if ions moved independently; bounds where they hardly moved.",
        panels,
        numbers,
        remarks,
    )


def _reasons(outcome: Outcome) -> list[str]:
    """Why there is no number of a condition."""
    reasons = list(outcome.left_out.values())
    if outcome.transport is not None and not (diffusivity := outcome.transport.diffusivity).known:
        reasons.append(diffusivity.reason)
    return reasons
