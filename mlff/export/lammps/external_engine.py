"""LAMMPS with `fix external` as an engine."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.export.ase import MLFFCalculator
from mlff.export.engine import MODEL, Answer, Engine, copy_artefact, copy_example
from mlff.export.lammps.external import attach
from mlff.export.lammps.library import QUIET, missing, open_lammps
from mlff.export.lammps.simulation import answer, nve, put

EXAMPLE = Path(__file__).parent / "external_example"


class LAMMPSExternal(Engine):
    """LAMMPS moves the atoms, on one process; the model runs in Python, as `MLFFCalculator` with its skin of 0.5 Å."""

    def missing(self) -> str | None:
        return missing()

    def write(self, artefact: Path, folder: Path) -> None:
        copy_artefact(artefact, folder)
        copy_example(EXAMPLE, folder)

    def answers(self, folder: Path, frames: Sequence[Atoms]) -> list[Answer]:
        with self._simulation(folder) as start:
            return [answer(start(atoms), atoms) for atoms in frames]

    def nve(self, folder: Path, atoms: Atoms, timestep: float, n_steps: int) -> np.ndarray:
        with self._simulation(folder) as start:
            return nve(start(atoms), timestep, n_steps)

    @contextmanager
    def _simulation(self, folder: Path) -> Iterator:
        """A function that gives LAMMPS with a structure in it and the model attached."""
        calculator = MLFFCalculator.load(folder / MODEL, device=self.device, dtype=self.dtype)
        species = calculator.runner.species
        with closing(open_lammps(QUIET)) as lmp:

            def start(atoms: Atoms):
                put(lmp, atoms, species)
                attach(lmp, calculator, species)
                return lmp

            yield start
