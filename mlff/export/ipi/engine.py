"""i-PI as an engine."""

import importlib.util
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np
from ase import Atoms
from ase.stress import voigt_6_to_full_3x3_stress

from mlff.export.ase import MLFFCalculator
from mlff.export.ase.with_calculator import WithCalculator
from mlff.export.engine import Answer, no_device
from mlff.export.ipi.evaluation import Evaluation
from mlff.export.ipi.protocol import Reply
from mlff.export.ipi.server import program, run_nve
from mlff.export.orientation import oriented
from mlff.units import BOHR, HARTREE, HARTREE_PER_BOHR

SERVERS = 4  # at a time, for they mostly wait
VOIGT = [0, 1, 2, 5, 4, 3]  # of i-PI's xx, yy, zz, xy, xz, yz


class IPI(WithCalculator):
    """A driver of i-PI; `answers` and `nve` start its server, connect to it, and read the files that it writes."""

    example = Path(__file__).parent / "example"

    def missing(self) -> str | None:
        if importlib.util.find_spec("ipi") is None or program() is None:
            return "i-PI is not installed; `pip install .[ipi]`"
        return no_device(self.device)

    def answers(self, folder: Path, frames: Sequence[Atoms]) -> list[Answer]:
        calculator, alone = self._calculator(folder), Lock()
        with ThreadPoolExecutor(SERVERS) as pool:
            return list(pool.map(lambda atoms: _answer(calculator, alone, atoms), frames))

    def nve(self, folder: Path, atoms: Atoms, timestep: float, n_steps: int) -> np.ndarray:
        turned, _ = oriented(atoms)
        evaluation = Evaluation(self._calculator(folder), turned)
        return run_nve(turned, evaluation, timestep, n_steps, ["potential", "kinetic_md"]).sum(1) * HARTREE


def _answer(calculator: MLFFCalculator, alone: Lock, atoms: Atoms) -> Answer:
    turned, rotation = oriented(atoms)
    with alone:
        evaluation = Evaluation(calculator, turned)

    def evaluate(cell: np.ndarray, positions: np.ndarray) -> Reply:
        with alone:
            return evaluation(cell, positions)

    forces_on = [f"atom_f(atom={i})" for i in range(len(atoms))]
    written = run_nve(turned, evaluate, 1.0, 0, ["potential", "virial_md", *forces_on])[0]
    stress = -voigt_6_to_full_3x3_stress(written[1:7][VOIGT]) * (HARTREE / BOHR**3)
    forces = written[7:].reshape(-1, 3) * HARTREE_PER_BOHR
    return Answer(written[0] * HARTREE, forces @ rotation, rotation.T @ stress @ rotation if atoms.cell.rank == 3 else None)
