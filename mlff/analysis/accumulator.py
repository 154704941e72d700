"""What every observable of a trajectory is: a sum over frames that can be stopped, stored, joined and read at any time."""

from collections.abc import Mapping
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


class Part(Protocol):
    """What an accumulator is made of and stores with itself."""

    def state(self) -> dict[str, np.ndarray]: ...

    def load(self, state: dict[str, np.ndarray]) -> None: ...


def stored_parts(parts: Mapping[str, Part]) -> dict[str, np.ndarray]:
    """The states of parts, each entry as "part.entry"."""
    return {f"{name}.{entry}": array for name, part in parts.items() for entry, array in part.state().items()}


def load_parts(state: dict[str, np.ndarray], parts: Mapping[str, Part]) -> None:
    """Give back to parts what `stored_parts` took from them."""
    for name, part in parts.items():
        part.load(part_of(state, name))


def part_of(state: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    """The entries of one part, by their own names."""
    return {entry.removeprefix(f"{name}."): array for entry, array in state.items() if entry.startswith(f"{name}.")}


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
