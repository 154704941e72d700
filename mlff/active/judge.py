"""Frames sorted into accurate, candidate and failed ones, each trajectory cut at its first failed frame."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mlff.active.explored import FINISHED, Condition, Explored
from mlff.uncertainty import FrameClass, Levels


@dataclass(frozen=True, eq=False)
class Judged:
    """One trajectory up to its first failed frame.

    values: of the criterion, (n,); deviation: the largest force deviation, (n,), eV/Å; classes: (n,) of `FrameClass`. All of the frames
        that are kept: the first n of the trajectory's.
    not_reached: frames that were planned and lie behind the failed one, or behind the stop; of a trajectory that was stopped one at least.
    """

    trajectory: Explored
    values: np.ndarray
    deviation: np.ndarray
    classes: np.ndarray
    not_reached: int

    def which(self, kind: FrameClass) -> np.ndarray:
        """Indices of the frames of a class."""
        return np.flatnonzero(self.classes == kind)


def judge(trajectory: Explored, values: np.ndarray, deviation: np.ndarray, levels: Levels) -> Judged:
    """values, deviation: of every frame of the trajectory, (n_frames,)."""
    classes = levels.classify(values)
    failed = np.flatnonzero(classes == FrameClass.FAILED)
    n = int(failed[0]) + 1 if len(failed) else len(classes)
    # a guard may stop a trajectory at its very end, by a frame of which the criterion thinks nothing
    least = int(not len(failed) and trajectory.ending != FINISHED)
    return Judged(trajectory, values[:n], deviation[:n], classes[:n], max(least, trajectory.n_planned - n))


@dataclass(frozen=True)
class Counts:
    """How many frames are accurate, candidates, failed; frames that a trajectory did not reach count as failed.

    A trajectory that fails early would otherwise hide behind those that go on.
    """

    accurate: int = 0
    candidate: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.accurate + self.candidate + self.failed

    @property
    def ratio(self) -> float:
        """The accurate share; NaN where nothing was explored."""
        return self.accurate / self.total if self.total else float("nan")

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.accurate + other.accurate, self.candidate + other.candidate, self.failed + other.failed)

    @classmethod
    def of(cls, judged: Judged) -> "Counts":
        found = Counter(judged.classes.tolist())
        failed = found[FrameClass.FAILED] + judged.not_reached
        return cls(found[FrameClass.ACCURATE], found[FrameClass.CANDIDATE], failed)


def counts_by_condition(judged: Iterable[Judged]) -> dict[Condition, Counts]:
    """In the order of the conditions."""
    found: dict[Condition, Counts] = {}
    for one in judged:
        condition = one.trajectory.condition
        found[condition] = found.get(condition, Counts()) + Counts.of(one)
    return dict(sorted(found.items()))
