"""What one replica is: a structure at a temperature and pressure, with or without constraints, and a seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from ase import Atoms

from mlff.geometry import Anion, find_anions
from mlff.geometry.anion_motion import constrained_motions
from mlff.md.forces import MEAN


@dataclass(frozen=True)
class Replica:
    """One trajectory.

    name: of its folder, and part of its seed: two replicas of a run differ in it.
    atoms: where it starts.
    temperature: K. pressure: eV/Å³.
    mode: of constraint, a name in `mlff.geometry.anion_motion.MODES`.
    kinds: of the anions that are constrained, such as ("PS4",); None: all that are found.
    seed: of velocities and noise.
    driver: the member of a committee whose forces it feels; MEAN: their mean.
    structure: what `atoms` are called; replicas of one structure, temperature and mode are runs of one condition.
    """

    name: str
    atoms: Atoms
    temperature: float
    pressure: float = 0.0
    mode: str = "UC"
    kinds: Sequence[str] | None = None
    seed: int = 0
    driver: int = MEAN
    structure: str = ""

    def __post_init__(self):
        motions = constrained_motions(self.mode)
        if not self.temperature > 0:
            raise ValueError(f"{self.name}: temperature is {self.temperature} K, expected above 0")
        if self.atoms.constraints:
            raise ValueError(f"{self.name}: the structure carries constraints of ASE's, which are not read; remove them, and choose a mode")
        if motions and not self.constrained_anions:
            wanted = "polyatomic anions" if self.kinds is None else " or ".join(self.kinds)
            found = sorted({anion.kind for anion in self.anions}) or "none"
            raise ValueError(f"{self.name}: mode {self.mode} wants {wanted}, but found {found}; choose mode UC or other kinds")

    @cached_property
    def positions(self) -> np.ndarray:
        """Where it starts, (n, 3), Å: `atoms` with each anion in one piece."""
        positions = self.atoms.positions.copy()
        for anion in self._found:
            positions[anion.atoms] += anion.shifts @ self.atoms.cell.array
        return positions

    @cached_property
    def anions(self) -> list[Anion]:
        """All that are found, at `positions`."""
        return [replace(anion, shifts=np.zeros_like(anion.shifts)) for anion in self._found]

    @property
    def constrained_anions(self) -> list[Anion]:
        """Of the kinds that the mode is for."""
        return [anion for anion in self.anions if self.kinds is None or anion.kind in self.kinds]

    @cached_property
    def _found(self) -> list[Anion]:
        return find_anions(self.atoms.numbers, self.atoms.positions, self.atoms.cell.array, self.atoms.pbc)
