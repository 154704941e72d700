"""Two levels that sort frames by an uncertainty: accurate < low ≤ candidate < high ≤ failed."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np


class FrameClass(StrEnum):
    ACCURATE = "accurate"  # nothing to learn
    CANDIDATE = "candidate"  # worth a label
    FAILED = "failed"  # the frame itself is not to be trusted


@dataclass(frozen=True)
class Levels:
    """Of any uncertainty that grows from 0 with the error to be feared: a force deviation, an expected error, an extrapolation grade.

    DP-GEN names them the lower and upper trust level: Zhang et al., Phys. Rev. Materials 3, 023804 (2019).
    """

    low: float
    high: float

    def __post_init__(self):
        if not 0 <= self.low < self.high:
            raise ValueError(
                f"levels low {self.low} and high {self.high}: expected 0 ≤ low < high, since an uncertainty grows with the error; "
                "give the smaller one first"
            )

    def classify(self, uncertainty: np.ndarray) -> np.ndarray:
        """The class of each value, an array of the same shape; NaN has failed: nothing is known of it."""
        uncertainty = np.asarray(uncertainty, float)
        below = np.where(uncertainty < self.low, FrameClass.ACCURATE, FrameClass.CANDIDATE)
        return np.where(uncertainty < self.high, below, FrameClass.FAILED)


FORCE_LEVELS = Levels(0.11, 0.26)  # eV/Å, of the largest force deviation of a frame
