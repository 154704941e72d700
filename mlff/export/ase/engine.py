"""ASE as an engine."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.md.verlet import VelocityVerlet

from mlff.export.ase.calculator import MLFFCalculator
from mlff.export.engine import MODEL, Answer, Engine, copy_artefact, copy_example

EXAMPLE = Path(__file__).parent / "example"


class ASE(Engine):
    """`MLFFCalculator`, with its skin of 0.5 Å."""

    def missing(self) -> str | None:
        return None

    def write(self, artefact: Path, folder: Path) -> None:
        copy_artefact(artefact, folder)
        copy_example(EXAMPLE, folder)

    def answers(self, folder: Path, frames: Sequence[Atoms]) -> list[Answer]:
        calculator = self._calculator(folder)
        return [_answer(calculator, atoms) for atoms in frames]

    def nve(self, folder: Path, atoms: Atoms, timestep: float, n_steps: int) -> np.ndarray:
        moving = atoms.copy()
        moving.calc = self._calculator(folder)
        energies = []
        dynamics = VelocityVerlet(moving, timestep * units.fs)
        dynamics.attach(lambda: energies.append(moving.get_total_energy()))
        dynamics.run(n_steps)
        return np.array(energies)

    def _calculator(self, folder: Path) -> MLFFCalculator:
        return MLFFCalculator.load(folder / MODEL, device=self.device, dtype=self.dtype)


def _answer(calculator: MLFFCalculator, atoms: Atoms) -> Answer:
    atoms = atoms.copy()
    atoms.calc = calculator
    stress = atoms.get_stress(voigt=False) if atoms.cell.rank == 3 else None
    return Answer(atoms.get_potential_energy(), atoms.get_forces(), stress)
