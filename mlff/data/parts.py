"""The three parts of a set, and whole runs or groups divided among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class Splits:
    """Indices into the frames, sorted. leaks: whether test frames are correlated with training frames; description says why."""

    train: np.ndarray
    val: np.ndarray
    test: np.ndarray
    kind: str
    leaks: bool
    description: str


def wanted_parts(fractions: Sequence[float]) -> list[str]:
    """The parts that must not be empty: training always, the others where their fraction is not zero."""
    return [part for part, fraction in zip(PARTS, fractions, strict=True) if fraction > 0 or part == "train"]


def plural(n: int, thing: str, things: str | None = None) -> str:
    """ "1 file", "2 files"; `things` where the plural is another one."""
    return f"{n} {thing if n == 1 else things or f'{thing}s'}"


def assign_whole(sizes: Sequence[int], fractions: Sequence[float], rng: np.random.Generator) -> tuple[list[int], list[int], list[int]]:
    """Whole groups to the three parts, each time to the part that lacks most; every wanted part gets one where there are enough."""
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    filled = np.zeros(3)
    target = np.asarray(fractions, dtype=float) * sum(sizes)
    for k in rng.permutation(len(sizes)):
        part = int(np.argmax(np.where(target > 0, (target - filled) / np.maximum(target, 1e-12) + 1e-9 * target, -np.inf)))
        parts[part].append(int(k))
        filled[part] += sizes[k]
    return parts
