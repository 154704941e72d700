"""Where the ions stood at the ends of 16 to 32 equal stretches of time, however long the run becomes."""

import numpy as np

MOST = 32  # stretches; at as many, every second end is forgotten


class DisplacementBlocks:
    """Positions at every `step`-th frame; `step` doubles when they become too many.

    Attributes:
        ends: (n_ends, 3, n_ions), the first of them frame 0.
        step: frames between two ends.
    """

    def __init__(self, n_ions: int):
        self.ends = np.zeros((0, 3, n_ions))
        self.step = np.ones((), np.int64)

    def update(self, start: int, u: np.ndarray) -> None:
        """Take in the frames from number `start` on, (n_frames, 3, n_ions)."""
        while (start + len(u) - 1) // self.step > MOST:
            self.ends, self.step = self.ends[::2], 2 * self.step
        numbers = np.arange(start, start + len(u))
        self.ends = np.concatenate([self.ends, u[numbers % self.step == 0]])

    @property
    def displacements(self) -> np.ndarray:
        """(n_blocks, 3, n_ions), over each whole stretch."""
        return np.diff(self.ends, axis=0)

    def state(self) -> dict[str, np.ndarray]:
        """Its arrays by name, copied."""
        return {"ends": self.ends.copy(), "step": np.array(self.step)}

    def load(self, state: dict[str, np.ndarray]) -> None:
        self.ends, self.step = np.array(state["ends"]), np.array(state["step"])
