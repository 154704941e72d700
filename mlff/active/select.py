"""From what was explored to what is labelled: candidates that are sound, far from each other in time, and spread over the conditions."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms

from mlff.active.explored import Condition
from mlff.active.hops import hopping
from mlff.active.judge import Judged
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
    """

    n: int = 40
    separation: float = 50.0
    quota: float = 0.5
    most: int = 600
    hops: Hops | None = None
    soundness: Soundness = field(default_factory=Soundness)

    def __post_init__(self):
        if self.n < 1 or not 0 < self.quota <= 1:
            raise ValueError(f"n is {self.n} and quota {self.quota}, expected at least one frame, and a share above 0 and up to 1")

    def pool(self, judged: Sequence[Judged], rng: np.random.Generator) -> tuple[list[Pick], dict[str, int]]:
        """What may be labelled, and how many candidates were left out for which reason.

        All sound candidates; of a trajectory that failed without a candidate, the last frame before.
        """
        picks, refused = [], Counter()
        for number, one in enumerate(judged):
            chosen = one.which(FrameClass.CANDIDATE)
            reason = CANDIDATE
            failed = one.not_reached or len(one.which(FrameClass.FAILED))
            if not len(chosen) and failed and len(one.which(FrameClass.ACCURATE)):
                chosen, reason = one.which(FrameClass.ACCURATE)[-1:], LAST
            on_the_way = self._hopping(one)
            for k in chosen.tolist():
                atoms = one.trajectory.frames[k]
                if fault := self.soundness.fault(atoms):
                    refused[fault] += 1
                    continue
                why = HOP if on_the_way[k] else reason
                time = float(one.trajectory.times[k])
                picks.append(Pick(number, k, one.trajectory.condition, atoms, float(one.values[k]), float(one.deviation[k]), time, why))
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
            free = [k for k in range(len(pool)) if k not in taken and self._apart(pool, taken, k) and allowed(k)]
            if not free:
                return
            scores = ranking.scores()[free]
            best = free[int(np.argmax(scores))]
            ranking.take(best)
            taken.append(best)

    def _apart(self, pool: Sequence[Pick], taken: Sequence[int], k: int) -> bool:
        own = pool[k]
        return all(pool[t].trajectory != own.trajectory or abs(pool[t].time - own.time) >= self.separation for t in taken)

    def _within(self, pool: Sequence[Pick], taken: Sequence[int], k: int, allowed: int) -> bool:
        place = (pool[k].condition.structure, pool[k].condition.temperature)
        return sum((pool[t].condition.structure, pool[t].condition.temperature) == place for t in taken) < allowed

    def _hopping(self, one: Judged) -> np.ndarray:
        if self.hops is None or len(one.trajectory.frames) < 2:
            return np.zeros(len(one.trajectory.frames), bool)
        between = float(np.median(np.diff(one.trajectory.times)))
        return hopping(one.trajectory.frames, self.hops.mobile, self.hops.distance, max(1, round(self.hops.window / 2 / between)))
