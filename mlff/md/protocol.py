"""What happens to the replicas one after the other: stages, with temperatures that hold or change in steps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mlff.units import PS


@dataclass(frozen=True)
class Stage:
    """One part of a run.

    name: such as "production".
    duration: ps; or None, where `rate` says how fast the temperature changes.
    start, end: K; None: the replica's own temperature.
    rate: K/ps, the speed of a ramp from `start` to `end`, both given.
    ramp_step: K, by how much the temperature changes at a time.
    ensemble: the name of another one for this stage; None: the run's.
    constrained: whether the replicas' constraints hold.
    record: whether frames are kept; what a progress bar shows is kept in any case.
    """

    name: str
    duration: float | None = None
    start: float | None = None
    end: float | None = None
    rate: float | None = None
    ramp_step: float = 10.0
    ensemble: str | None = None
    constrained: bool = True
    record: bool = True

    def __post_init__(self):
        if (self.duration is None) == (self.rate is None):
            raise ValueError(f"stage {self.name}: duration is {self.duration} ps and rate {self.rate} K/ps, expected one of the two")
        if self.rate is not None and (self.start is None or self.end is None):
            raise ValueError(f"stage {self.name}: a rate needs both start and end, found {self.start} and {self.end}; give them in K")
        for name in ("duration", "rate", "ramp_step", "start", "end"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"stage {self.name}: {name} is {value}, expected above 0")

    @property
    def holds(self) -> bool:
        """Whether the temperature stays."""
        return self.start == self.end

    def n_steps(self, timestep: float) -> int:
        """How many timesteps (fs) it takes."""
        picoseconds = self.duration if self.rate is None else abs(self.end - self.start) / self.rate
        return max(1, round(picoseconds * PS / timestep))

    def temperature(self, own: float, step: int, n_steps: int) -> float:
        """K, at `step` of `n_steps`, of a replica whose own temperature is given.

        A ramp climbs by `ramp_step` at equal intervals; its last interval is at the end's temperature.
        """
        start, end = (own if value is None else value for value in (self.start, self.end))
        n_ramps = math.ceil(abs(end - start) / self.ramp_step)
        climbed = min(n_ramps, (n_ramps + 1) * step // n_steps)
        return end if climbed == n_ramps else start + math.copysign(self.ramp_step, end - start) * climbed


@dataclass(frozen=True)
class Protocol:
    """Stages in their order, with names of their own."""

    stages: Sequence[Stage]

    def __post_init__(self):
        names = [stage.name for stage in self.stages]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"stages are {names}, expected one at least and each name once")

    def n_steps(self, timestep: float) -> int:
        return sum(stage.n_steps(timestep) for stage in self.stages)
