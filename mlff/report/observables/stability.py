"""Lindemann index and anion integrity."""

import numpy as np

from mlff.analysis import System
from mlff.analysis.framework.stability import RunStability, Stability
from mlff.report.observables.describe import describe
from mlff.report.panels import Curve, Curves, Description, Number
from mlff.units import PS

MELTS = 0.15  # Lindemann index above which the species is said to have left its places


@describe.register
def _(result: Stability, system: System) -> Description:
    panels = [Curves("Framework", "time, ps", "Lindemann index", _swings(result), zero=True, levels={"melts": MELTS})]
    if result.intact:
        panels.append(Curves("Intact anions", "time, ps", "share", _shares(result), zero=True))
    numbers = [Number(f"Lindemann index, {name}", number) for name, number in result.lindemann.items()]
    for kind in result.intact:
        numbers += [Number(f"intact {kind}", result.intact[kind]), Number(f"breaking of {kind}", result.breaking[kind])]
    return Description(
        "Stability",
        "Swings of the framework about its mean places, in units of the nearest-neighbour distance: a crystal is level, a melt rises.",
        panels,
        numbers,
        _remarks(result),
    )


def _name(what: str, k: int, result: Stability) -> str:
    return what if len(result.runs) == 1 else f"{what}, run {k + 1}"


def _time(run: RunStability) -> np.ndarray:
    """Middle of the blocks, ps."""
    return (np.arange(len(run.square_blocks)) + 0.5) * float(run.block_time) / PS


def _swings(result: Stability) -> list[Curve]:
    return [
        Curve(_name(name, k, result), _time(run), np.sqrt(run.square_blocks[:, s]) / result.nearest[name])
        for k, run in enumerate(result.runs)
        for s, name in enumerate(result.lindemann)
        if len(run.square_blocks)
    ]


def _shares(result: Stability) -> list[Curve]:
    return [
        Curve(_name(kind, k, result), _time(run), run.intact_blocks[:, s])
        for k, run in enumerate(result.runs)
        for s, kind in enumerate(result.intact)
        if len(run.intact_blocks)
    ]


def _remarks(result: Stability) -> list[str]:
    remarks = []
    first = [int(step) for run in result.runs for step in run.first_broken if step >= 0]
    if first:
        remarks.append(f"{len(first)} anions had a broken bond at some time, the first at step {min(first)}.")
    high = [name for name, number in result.lindemann.items() if number.value > MELTS]
    if high:
        remarks.append(
            f"The index of {', '.join(high)} is above {MELTS}: these atoms left their places, by melting, or, as ligands of an anion that "
            "turns, without it."
        )
    return remarks
