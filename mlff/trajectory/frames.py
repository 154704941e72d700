"""What a trajectory consists of: frames, and series of values, each at steps of their own."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Frames:
    """Consecutive frames of one set of atoms.

    steps: (n_frames,) int64, ascending; the time of a frame is its step × the timestep.
    positions: (n_frames, n_atoms, 3) float64, Å, unwrapped: an ion that leaves the cell goes on. Where the cell changes, what is
        continuous is the position in units of the cell vectors.
    cells: (n_frames, 3, 3), rows, Å.
    """

    steps: np.ndarray
    positions: np.ndarray
    cells: np.ndarray

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(frozen=True)
class Series:
    """Values at steps of their own, such as velocities or the temperature.

    steps: (n,) int64, ascending.
    values: by name, each (n, …).
    """

    steps: np.ndarray
    values: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.steps)
