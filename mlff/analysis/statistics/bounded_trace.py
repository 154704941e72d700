"""Values in time, as many points as a picture can use however long the run becomes."""

import numpy as np


class BoundedTrace:
    """Values at every `step`-th sample; `step` doubles when there are more than `most`.

    Attributes:
        values: (n_points, width), the first of them sample 0. step: samples between two points.
    """

    def __init__(self, width: int, most: int):
        self.values = np.zeros((0, width))
        self.step, self.most = np.ones((), np.int64), most

    def add(self, start: int, values: np.ndarray) -> None:
        """Take in the samples from number `start` on, (n, width)."""
        while (start + len(values) - 1) // self.step >= self.most:
            self.values, self.step = self.values[::2], 2 * self.step
        numbers = np.arange(start, start + len(values))
        self.values = np.concatenate([self.values, values[numbers % self.step == 0]])

    @property
    def samples(self) -> np.ndarray:
        """Number of the sample of each point, (n_points,) int64."""
        return self.step * np.arange(len(self.values))

    def state(self) -> dict[str, np.ndarray]:
        """Its arrays by name, copied."""
        return {"values": self.values.copy(), "step": np.array(self.step)}

    def load(self, state: dict[str, np.ndarray]) -> None:
        self.values, self.step = np.array(state["values"]), np.array(state["step"])
