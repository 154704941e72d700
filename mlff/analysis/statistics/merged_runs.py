"""Finished runs that an accumulator has taken over from others, as arrays by name and back."""

from collections.abc import Sequence
from dataclasses import fields
from typing import TypeVar

import numpy as np

Run = TypeVar("Run")


def stored_runs(runs: Sequence[Run]) -> dict[str, np.ndarray]:
    """Dataclasses of arrays → "run0.name", "run1.name" …, copied."""
    return {f"run{k}.{field.name}": np.array(getattr(run, field.name)) for k, run in enumerate(runs) for field in fields(run)}


def loaded_runs(state: dict[str, np.ndarray], kind: type[Run]) -> tuple[Run, ...]:
    """What `stored_runs` has stored, in order; what had no shape is a number."""
    names = [field.name for field in fields(kind)]
    runs, k = [], 0
    while f"run{k}.{names[0]}" in state:
        runs.append(kind(**{name: np.array(state[f"run{k}.{name}"])[()] for name in names}))
        k += 1
    return tuple(runs)
