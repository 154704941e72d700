"""ASE as an engine."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.md.verlet import VelocityVerlet

from mlff.export.ase.calculator import MLFFCalculator
from mlff.export.ase.with_calculator import WithCalculator
from mlff.export.engine import Answer, no_device


class ASE(WithCalculator):
    """`MLFFCalculator`, with its skin of 0.5 Å."""

    example = Path(__file__).parent / "example"

    def missing(self) -> str | None:
        return no_device(self.device)

    def answers(self, folder: Path, frames: Sequence[Atoms]) -> list[Answer]:
        return answers_in_ase(self._calculator(folder), frames)

    def nve(self, folder: Path, atoms: Atoms, timestep: float, n_steps: int) -> np.ndarray:
        return nve_in_ase(self._calculator(folder), atoms, timestep, n_steps)


def answers_in_ase(calculator: MLFFCalculator, frames: Sequence[Atoms]) -> list[Answer]:
    """As `Engine.answers`."""
    answers = []
    for frame in frames:
        atoms = frame.copy()
        atoms.calc = calculator
        stress = atoms.get_stress(voigt=False) if atoms.cell.rank == 3 else None
        answers.append(Answer(atoms.get_potential_energy(), atoms.get_forces(), stress))
    return answers


def nve_in_ase(calculator: MLFFCalculator, atoms: Atoms, timestep: float, n_steps: int) -> np.ndarray:
    """As `Engine.nve`."""
    moving = atoms.copy()
    moving.calc = calculator
    energies = []
    dynamics = VelocityVerlet(moving, timestep * units.fs)
    dynamics.attach(lambda: energies.append(moving.get_total_energy()))
    dynamics.run(n_steps)
    return np.array(energies)
