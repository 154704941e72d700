"""What the driver answers."""

import json

import numpy as np
from ase import Atoms
from ase.stress import voigt_6_to_full_3x3_stress

from mlff.export.ase import MLFFCalculator
from mlff.export.ipi.protocol import Reply
from mlff.units import HARTREE, HARTREE_PER_BOHR


class Evaluation:
    """Cell and positions as the server sends them → energy, forces and virial of the model.

    Of a committee, the mean, and in `extra` what i-PI's <ffcommittee> reads of each member with <parse_json>, in atomic units:
    committee_pot (n_members), committee_force (n_members, n_atoms, 3) and committee_virial (n_members, 3, 3).

    Args:
        structure: species in the server's order, and pbc, for the protocol tells neither. It is evaluated once, so that what is wrong
            is told before a server waits.
    Raises:
        ValueError: a species that the model does not know.
    """

    def __init__(self, calculator: MLFFCalculator, structure: Atoms):
        self.calculator, self.atoms = calculator, structure.copy()
        calculator.calculate(self.atoms, ["energy", "forces"])

    def __call__(self, cell: np.ndarray, positions: np.ndarray) -> Reply:
        """Args: cell (3, 3) rows, Å; positions (n_atoms, 3), Å."""
        if len(positions) != len(self.atoms):
            raise ValueError(
                f"i-PI sends {len(positions)} atoms, but the structure of this driver has {len(self.atoms)}; give both the same file"
            )
        self.atoms.cell, self.atoms.positions = cell, positions
        self.calculator.calculate(self.atoms, ["energy", "forces", "stress"])
        results = self.calculator.results
        return Reply(results["energy"], results["forces"], self._virial(results["stress"]), self._members())

    def _virial(self, stress: np.ndarray) -> np.ndarray:
        return -self.atoms.get_volume() * voigt_6_to_full_3x3_stress(stress)

    def _members(self) -> str:
        results = self.calculator.results
        if "energy_comm" not in results:
            return ""
        virials = np.array([self._virial(stress) for stress in results["stress_comm"]])
        return json.dumps(
            {
                "committee_pot": (results["energy_comm"] / HARTREE).tolist(),
                "committee_force": (results["forces_comm"] / HARTREE_PER_BOHR).tolist(),
                "committee_virial": (virials / HARTREE).tolist(),
            }
        )
