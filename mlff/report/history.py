"""Reading the history of a training: which curves it holds, against which clock, and where its stages begin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

MOST_POINTS = 400  # of one curve; longer ones are averaged in blocks


@dataclass(frozen=True)
class Clock:
    name: str
    key: str
    label: str
    factor: float


@dataclass(frozen=True)
class Panel:
    title: str
    label: str
    keys: Mapping[str, str]  # split → field of a history row


CLOCKS = (
    Clock("Wall time", "wall_time_s", "wall time, min", 1 / 60),
    Clock("Epoch", "epoch", "epoch", 1.0),
    Clock("Step", "step", "step", 1.0),
)
PANELS = (
    Panel("Force error", "force MAE, meV/Å", {"train": "train_force_mae", "val": "val_force_mae"}),
    Panel("Energy error", "energy MAE, meV/atom", {"train": "train_energy_mae", "val": "val_energy_mae"}),
    Panel("Stress error", "stress MAE, meV/Å³", {"train": "train_stress_mae", "val": "val_stress_mae"}),
    Panel("Loss", "loss", {"train": "train_loss", "val": "val_loss"}),
    Panel("Learning rate", "learning rate", {"train": "lr"}),
)


def clocks(rows: Sequence[Mapping]) -> list[Clock]:
    """The clocks that advance in this history."""
    return [clock for clock in CLOCKS if len({row[clock.key] for row in rows if _number(row.get(clock.key)) is not None}) > 1]


def series(rows: Sequence[Mapping], clock: Clock, key: str) -> tuple[np.ndarray, np.ndarray] | None:
    """The curve of one field, (clock, value), positive values only (its axis is logarithmic); None where there is none."""
    pairs = [(_number(row.get(clock.key)), _number(row.get(key))) for row in rows]
    pairs = [(x * clock.factor, y) for x, y in pairs if x is not None and y is not None and y > 0]
    if not pairs:
        return None
    x, y = np.array(sorted(pairs)).T
    if len(x) > MOST_POINTS:
        x, y = (np.array([part.mean() for part in np.array_split(v, MOST_POINTS)]) for v in (x, y))
    return x, y


def stage_starts(rows: Sequence[Mapping], clock: Clock) -> list[tuple[float, str]]:
    """Where each stage after the first begins, and its name.

    A row that averages over the change of stage holds a fraction such as 1.4: the stage it reaches counts, and each begins once.
    """
    starts, reached, before = [], None, None
    for row in rows:
        at, stage = _number(row.get(clock.key)), row.get("stage")
        if at is None or stage in (None, ""):
            continue
        number = _number(stage)
        if number is not None:
            number = int(np.ceil(number - 1e-6))  # an average of ones in float32 may lie just above 1
            reached = number if reached is None else max(reached, number)
            stage = f"stage {reached}"
        if before is not None and stage != before:
            starts.append((at * clock.factor, str(stage)))
        before = stage
    return starts


def best_step(x: np.ndarray, y: np.ndarray) -> tuple[float, float] | None:
    """Clock and value of the lowest point of a curve."""
    return (float(x[y.argmin()]), float(y.min())) if len(y) else None


def _number(value: object) -> float | None:
    """A finite number, or None: a history read from a table has empty texts where a row has no value."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None
