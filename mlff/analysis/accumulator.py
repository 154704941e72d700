"""What every observable of a trajectory is: a sum over frames that can be stopped, stored, joined and read at any time."""

from typing import Protocol, Self

import numpy as np

from mlff.trajectory import Frames


class Accumulator(Protocol):
    """One pass over a trajectory, in memory that does not grow with its length.

    `reads` names what `update` takes: "frames", or "velocities", then the `Series` of that name instead of `Frames`.

    Frames come in order, in chunks of any size, from a file or from a running simulation; the result does not depend on the chunks.
    A killed run goes on bit for bit: `load` into a new accumulator of the same settings what `state` gave, and pass the frames after.
    """

    reads: str

    def update(self, frames: Frames) -> None:
        """Take in the next frames."""

    def merge(self, other: Self) -> None:
        """Take in what `other`, of the same settings, has seen; each observable says which frames it can join."""

    def result(self) -> object:
        """The observable from all frames so far; more may follow."""

    def state(self) -> dict[str, np.ndarray]:
        """All that `load` needs, as arrays by name."""

    def load(self, state: dict[str, np.ndarray]) -> None:
        """Take over a stored state.

        Raises:
            ValueError: the state was stored by an accumulator of other settings.
        """


def check_settings(stored: dict[str, np.ndarray], own: dict[str, np.ndarray]) -> None:
    """Refuse a state whose settings (the entries of `own`) are not these.

    Raises:
        ValueError: naming the first setting that differs.
    """
    for name, value in own.items():
        if name not in stored:
            raise ValueError(f"the state has no entry {name!r}; it was stored by another observable, give the state of this one")
        if not np.array_equal(stored[name], value):
            raise ValueError(f"the state was stored with {name} = {stored[name]}, but this accumulator has {value}; build it alike")
