"""From what was explored to what is labelled: candidates that are sound, far from each other in time, and spread over the conditions."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

from mlff.active.explored import Condition
from mlff.active.hops import hopping
from mlff.active.judge import Judged
from mlff.active.local_cell import LocalCells
from mlff.active.rankings import Ranking
from mlff.active.soundness import Soundness
from mlff.uncertainty import FrameClass

CANDIDATE, LAST, HOP = "candidate", "last before the failure", "hop"


@dataclass(frozen=True, eq=False)
class Pick:
    """A frame to choose from, or chosen.

    trajectory: its number; frame: its number in the trajectory. value: of the criterion; deviation: eV/Å.
    reason: why it is here. time: fs.
    """

    trajectory: int
    frame: int
    condition: Condition
    atoms: Atoms
    value: float
    deviation: float
    time: float
    reason: str


@dataclass(frozen=True)
class Hops:
    """Which hops count: of the elements `mobile`, at least `distance` long (Å), between halves of a window of `window` fs.

    share: of the labels that frames in the middle of a hop may claim before all others.
    """

    mobile: Sequence[str]
    distance: float = 1.5
    window: float = 400.0
    share: float = 0.25


@dataclass(frozen=True)
class Selection:
    """How many frames of a round are labelled, and what they must keep to.

    n: frames. separation: fs, between two of one trajectory. quota: share of `n` that one structure at one temperature may take; it is
        widened where the others have not enough to offer. most: frames that are ranked at all, drawn where there are more.
        local_cells: what is labelled of frames that are too large; None: all are labelled whole.
    """

    n: int = 40
    separation: float = 50.0
    quota: float = 0.5
    most: int = 600
    hops: Hops | None = None
    soundness: Soundness = field(default_factory=Soundness)
    local_cells: LocalCells | None = None

    def __post_init__(self):
        if self.n < 1 or not 0 < self.quota <= 1:
            raise ValueError(f"n is {self.n} and quota {self.quota}, expected at least one frame, and a share above 0 and up to 1")

    def pool(self, judged: Sequence[Judged], rng: np.random.Generator) -> tuple[list[Pick], dict[str, int]]:
        """What may be labelled, and how many candidates were left out for which reason.

        All sound candidates; of a trajectory that failed without one, its last sound frame before.
        """
        picks, refused = [], Counter()
        for number, one in enumerate(judged):
            faults = {k: self.soundness.fault(one.trajectory.frames[k]) for k in one.which(FrameClass.CANDIDATE).tolist()}
            refused.update(fault for fault in faults.values() if fault)
            chosen, reason = [k for k, fault in faults.items() if not fault], CANDIDATE
            if not chosen and (one.not_reached or len(one.which(FrameClass.FAILED))):
                accurate = reversed(one.which(FrameClass.ACCURATE).tolist())
                last = next((k for k in accurate if not self.soundness.fault(one.trajectory.frames[k])), None)
                chosen, reason = [] if last is None else [last], LAST
            on_the_way = self._hopping(one)
            picks += [pick(number, one, k, HOP if on_the_way[k] else reason) for k in chosen]
        if len(picks) > self.most:
            kept = rng.choice(len(picks), self.most, replace=False)
            picks = [picks[k] for k in sorted(kept.tolist())]
        return picks, dict(refused)

    def choose(self, pool: Sequence[Pick], ranking: Ranking) -> list[Pick]:
        """At most n of the pool, the highest ranked that keep to the rules; a quota gives way only where nothing else is left."""
        taken: list[int] = []
        allowed = math.ceil(self.quota * self.n)
        if self.hops is not None:
            hops = [k for k, pick in enumerate(pool) if pick.reason == HOP]
            self._fill(pool, ranking, taken, round(self.hops.share * self.n), lambda k: k in hops and self._within(pool, taken, k, allowed))
        self._fill(pool, ranking, taken, self.n, lambda k: self._within(pool, taken, k, allowed))
        self._fill(pool, ranking, taken, self.n, lambda k: True)
        return [pool[k] for k in taken]

    def _fill(self, pool: Sequence[Pick], ranking: Ranking, taken: list[int], n: int, allowed: Callable[[int], bool]) -> None:
        while len(taken) < n:
            free = [k for k in range(len(pool)) if k not in taken and self.apart(pool[k], (pool[t] for t in taken)) and allowed(k)]
            if not free:
                return
            scores = ranking.scores()[free]
            best = free[int(np.argmax(scores))]
            ranking.take(best)
            taken.append(best)

    def apart(self, own: Pick, others: Iterable[Pick]) -> bool:
        """Whether it is long before or after all others of its trajectory."""
        return all(other.trajectory != own.trajectory or abs(other.time - own.time) >= self.separation for other in others)

    def _within(self, pool: Sequence[Pick], taken: Sequence[int], k: int, allowed: int) -> bool:
        place = (pool[k].condition.structure, pool[k].condition.temperature)
        return sum((pool[t].condition.structure, pool[t].condition.temperature) == place for t in taken) < allowed

    def _hopping(self, one: Judged) -> np.ndarray:
        frames = one.trajectory.frames[: len(one.classes)]  # what comes after a failure tells nothing of hops
        if self.hops is None or len(frames) < 2:
            return np.zeros(len(frames), bool)
        between = float(np.median(np.diff(one.trajectory.times)))
        return hopping(frames, self.hops.mobile, self.hops.distance, max(1, round(self.hops.window / 2 / between)))


def pick(number: int, one: Judged, frame: int, reason: str) -> Pick:
    """Frame `frame` of trajectory `number`."""
    trajectory, values = one.trajectory, (float(one.values[frame]), float(one.deviation[frame]), float(one.trajectory.times[frame]))
    return Pick(number, frame, trajectory.condition, trajectory.frames[frame], *values, reason)
