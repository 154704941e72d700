"""Arrhenius plots: values with errors, bounds, the line with its band down to room temperature, and what others measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlff.report.md_content import ArrheniusSeries
from mlff.report.md_tables import ROOM
from mlff.report.panels import Curve, Curves


@dataclass(frozen=True)
class Measured:
    """Points of an experiment. name: whose. temperatures: K. values: in the same unit as the lines, errors: of them, 0 where not told."""

    name: str
    temperatures: np.ndarray
    values: np.ndarray
    errors: np.ndarray


def arrhenius_panel(title: str, label: str, lines: Sequence[ArrheniusSeries], measured: Sequence[Measured] = ()) -> Curves:
    """log10 of y against 1000/T; label: "log₁₀ σT, S K/cm"."""
    curves = [curve for line in lines for curve in _line(line)]
    for points in measured:
        error = points.errors / points.values / np.log(10)
        curves.append(Curve(points.name, 1000 / points.temperatures, np.log10(points.values), error, "points"))
    return Curves(
        title,
        "1000/T, K⁻¹",
        label,
        curves,
        caption="Bars: one standard deviation. Arrows: 95 % upper bounds, not fitted. Dashed: Arrhenius' law, with the band of its error.",
        marks={f"{ROOM:g} K": 1000 / ROOM} if any(line.line.coefficients is not None for line in lines) else {},
    )


def _line(line: ArrheniusSeries) -> list[Curve]:
    known = {t: e for t, e in sorted(line.values.items()) if e.known and e.value > 0}
    bounded = {t: e.upper for t, e in sorted(line.values.items()) if not e.known and e.upper}
    found = []
    if known:
        x, y = 1000 / np.array(list(known)), np.array([e.value for e in known.values()])
        error = np.array([e.error for e in known.values()]) / y / np.log(10)
        found.append(Curve(line.mode, x, np.log10(y), error, "points"))
    if bounded:
        found.append(Curve(line.mode, 1000 / np.array(list(bounded)), np.log10(list(bounded.values())), style="bounds"))
    if line.line.coefficients is not None:
        warmest = max(line.values)
        x = np.linspace(1000 / warmest, 1000 / min(ROOM, *line.values), 40)
        logs = [line.line.log10_at(1000 / at) for at in x]
        found.append(Curve(line.mode, x, np.array([e.value for e in logs]), np.array([e.error for e in logs]), "dashed"))
    return found
