"""What exploration saw: one trajectory under one condition, cut where it was not to be trusted any more."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

FINISHED = "finished"  # the ending of a trajectory that nothing stopped


@dataclass(frozen=True, order=True)
class Condition:
    """structure: its name. temperature: K. pressure: GPa. mode: of the constraints of the anions, "UC" for none."""

    structure: str
    temperature: float
    pressure: float = 0.0
    mode: str = "UC"

    def __str__(self) -> str:
        words = [self.structure, f"{self.temperature:g}K"]
        words += [f"{self.pressure:g}GPa"] if self.pressure else []
        words += [self.mode] if self.mode != "UC" else []
        return "_".join(words)


@dataclass(frozen=True, eq=False)
class Explored:
    """One trajectory.

    frames: in the order of time; where it was stopped, the last is the one that stopped it.
    steps: of each frame, (n_frames,) int. timestep: fs.
    n_planned: frames that it would have had without a stop.
    ending: "finished", or why it was stopped.
    """

    name: str
    condition: Condition
    frames: Sequence[Atoms]
    steps: np.ndarray
    timestep: float
    n_planned: int
    ending: str = FINISHED

    @property
    def times(self) -> np.ndarray:
        """(n_frames,), fs."""
        return self.steps * self.timestep
