"""The uncertainty of every frame of a round, kept for plots: a JSON file."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from mlff.active.judge import Judged
from mlff.uncertainty import Levels
from mlff.whole_file import written_whole


def write_judged(path: Path, judged: Sequence[Judged], levels: Levels, unit: str) -> None:
    """One entry per trajectory: its condition, times (fs), values of the criterion, force deviations (eV/Å), classes, how it ended."""
    rows = []
    for one in judged:
        n = len(one.values)
        rows.append(
            {
                "name": one.trajectory.name,
                **asdict(one.trajectory.condition),
                "ending": one.trajectory.ending,
                "not_reached": one.not_reached,
                "times": one.trajectory.times[:n].tolist(),
                "values": _finite(one.values),
                "deviation": _finite(one.deviation),
                "classes": [str(kind) for kind in one.classes],
            }
        )
    with written_whole(path) as file:
        file.write_text(json.dumps({"low": levels.low, "high": levels.high, "unit": unit, "trajectories": rows}))


def _finite(values: np.ndarray) -> list[float | None]:
    """JSON knows no infinity."""
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values]
