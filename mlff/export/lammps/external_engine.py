"""LAMMPS with `fix external` as an engine."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.export.ase.with_calculator import WithCalculator
from mlff.export.engine import Answer
from mlff.export.lammps.external import attach
from mlff.export.lammps.library import QUIET, missing, open_lammps
from mlff.export.lammps.simulation import answer, nve, put


class LAMMPSExternal(WithCalculator):
    """LAMMPS moves the atoms, on one process; the model runs in Python, as `MLFFCalculator` with its skin of 0.5 Å."""

    example = Path(__file__).parent / "external_example"

    def missing(self) -> str | None:
        return missing()

    def answers(self, folder: Path, frames: Sequence[Atoms]) -> list[Answer]:
        with self._simulation(folder) as start:
            return [answer(start(atoms), atoms) for atoms in frames]

    def nve(self, folder: Path, atoms: Atoms, timestep: float, n_steps: int) -> np.ndarray:
        with self._simulation(folder) as start:
            return nve(start(atoms), timestep, n_steps)

    @contextmanager
    def _simulation(self, folder: Path) -> Iterator:
        """A function that gives LAMMPS with a structure in it and the model attached."""
        calculator = self._calculator(folder)
        species = calculator.runner.species
        with closing(open_lammps(QUIET)) as lmp:

            def start(atoms: Atoms):
                put(lmp, atoms, species)
                attach(lmp, calculator, species)
                return lmp

            yield start
