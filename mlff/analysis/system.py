"""What a trajectory is of: all that an observable may ask besides the frames."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from ase.data import atomic_numbers

from mlff.geometry.topology import Anion, Topology, classify
from mlff.units import PS

CHARGES = {"Li": 1, "Na": 1, "K": 1, "Ag": 1, "Cu": 1, "Mg": 2, "Zn": 2, "Ca": 2, "F": -1}  # e, of ions that are known to move


class NotApplicable(ValueError):
    """The observable has no meaning for this system: the text says what it lacks. With all observables asked for, it is left out."""


@dataclass(frozen=True)
class System:
    """One set of atoms and how its frames were recorded.

    symbols: of each atom. masses: (n_atoms,), amu.
    positions: (n_atoms, 3), Å, unwrapped, and cell: (3, 3) rows, Å, both of the first frame. pbc: (3,) bool.
    timestep: fs, of one step in `Frames.steps`. interval: steps from frame to frame; velocity_interval: of the velocities, None without.
    n_frames: how many there are so far, 0 where nobody knows.
    mobile: symbol of the ion that diffuses. charge: of it, e.
    temperature: K, None where it was not told. rests: whether nothing takes up momentum, so that a drift is none of the physics.
    """

    symbols: tuple[str, ...]
    masses: np.ndarray
    positions: np.ndarray
    cell: np.ndarray
    mobile: str
    timestep: float
    interval: int = 1
    velocity_interval: int | None = None
    n_frames: int = 0
    pbc: np.ndarray = field(default_factory=lambda: np.ones(3, bool))
    charge: float = 1.0
    temperature: float | None = None
    rests: bool = False

    @property
    def ions(self) -> np.ndarray:
        """(n_ions,) int64, indices of the mobile ions."""
        return self.of(self.mobile)

    @property
    def framework(self) -> np.ndarray:
        """(n_atoms - n_ions,) int64, indices of all other atoms."""
        return np.flatnonzero(np.array(self.symbols) != self.mobile)

    @property
    def drift(self) -> np.ndarray | None:
        """Weights of the atoms whose common motion is taken from that of the ions, (n_atoms,): the framework's masses; None where it
        is pinned. All masses where there is no framework."""
        if not self.rests:
            return None
        weights = np.where(np.array(self.symbols) == self.mobile, 0.0, self.masses)
        return weights if weights.any() else self.masses

    @property
    def numbers(self) -> np.ndarray:
        """Atomic numbers, (n_atoms,)."""
        return np.array([atomic_numbers[symbol] for symbol in self.symbols])

    @property
    def frame_time(self) -> float:
        """fs, from frame to frame."""
        return self.timestep * self.interval

    @cached_property
    def topology(self) -> Topology:
        """The bonded pieces of the first frame."""
        return classify(self.numbers, self.positions, self.cell, self.pbc)

    @property
    def anions(self) -> tuple[Anion, ...]:
        """Those of a known shape."""
        return self.topology.anions

    def of(self, symbol: str) -> np.ndarray:
        """Indices of the atoms of a species, (n,) int64."""
        return np.flatnonzero(np.array(self.symbols) == symbol)

    def stride(self, frames: int) -> int:
        """With which about so many frames, spread over the trajectory, are counted; 1 where its length is not known."""
        return max(1, self.n_frames // max(1, frames))

    def frames_for(self, time: float) -> int:
        """How many frames a time in ps is, at least 1."""
        return max(1, round(time * PS / self.frame_time))


def mobile_ion(symbols: Sequence[str], asked: str | None = None) -> str:
    """The ion whose diffusion is told: the one asked for, else the first of `CHARGES` that is there.

    Raises:
        ValueError: the structure has none of that symbol, or none that is known to move.
    """
    present = set(symbols)
    found = next((symbol for symbol in ([asked] if asked else CHARGES) if symbol in present), None)
    if found is None:
        expected = asked or "one of " + ", ".join(CHARGES)
        raise ValueError(f"the structure holds {', '.join(sorted(present))}, expected {expected}; name the ion that moves with `mobile`")
    return found
