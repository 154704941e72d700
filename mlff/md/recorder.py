"""What is kept of a replica: frames, velocities and thermodynamics, each at its own interval, written chunk by chunk."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mlff.trajectory import Frames, Series, TrajectoryWriter


@dataclass(frozen=True)
class Intervals:
    """Steps from one to the next: of frames, velocities (None: not kept), thermodynamics, checks of the guards, and checkpoints."""

    frames: int = 50
    velocities: int | None = None
    thermo: int = 10
    check: int = 10
    chunk: int = 1000

    def __post_init__(self):
        for name in ("frames", "velocities", "thermo", "check"):
            every = getattr(self, name)
            if every is not None and (every < 1 or self.chunk % every):
                raise ValueError(
                    f"the interval of {name} is {every} steps, expected a divisor of the chunk's {self.chunk} steps; change one of them"
                )


@dataclass
class Recorder:
    """Of one replica, what was recorded since the last chunk was written."""

    writer: TrajectoryWriter
    _frames: list[tuple[int, np.ndarray, np.ndarray]] = field(default_factory=list)
    _velocities: list[tuple[int, np.ndarray]] = field(default_factory=list)
    _thermo: list[tuple[int, Mapping[str, float]]] = field(default_factory=list)

    def frame(self, step: int, positions: np.ndarray, cell: np.ndarray) -> None:
        """Positions (n, 3) and cell (3, 3), Å."""
        self._frames.append((step, positions.copy(), cell.copy()))

    def velocities(self, step: int, velocities: np.ndarray) -> None:
        """(n, 3), Å/fs."""
        self._velocities.append((step, velocities.astype(np.float32)))

    def thermo(self, step: int, values: Mapping[str, float]) -> None:
        self._thermo.append((step, values))

    def write(self) -> None:
        """Append all of it to the trajectory, or nothing."""
        frames, series = None, {}
        if self._frames:
            steps, positions, cells = zip(*self._frames, strict=True)
            frames = Frames(np.array(steps), np.stack(positions), np.stack(cells))
        if self._velocities:
            steps, values = zip(*self._velocities, strict=True)
            series["velocities"] = Series(np.array(steps), {"velocities": np.stack(values)})
        if self._thermo:
            steps, values = zip(*self._thermo, strict=True)
            series["thermo"] = Series(np.array(steps), {name: np.array([row[name] for row in values]) for name in values[0]})
        self.writer.append(frames, **series)
        for kept in (self._frames, self._velocities, self._thermo):
            kept.clear()
