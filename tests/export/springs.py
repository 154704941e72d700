"""A cheap potential that holds a structure together and conserves momentum."""

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from mlff.geometry import neighbor_list


class Springs(Calculator):
    """Σ k d²/2 + a d⁴/4 over pairs nearer than `reach` in a reference, with d the change of their distance.

    Args:
        reference: atoms where no spring is strained.
        reach: Å. stiffness: eV/Å². anharmonic: eV/Å⁴.
    """

    implemented_properties = ["energy", "forces"]

    def __init__(self, reference: Atoms, reach: float = 5.0, stiffness: float = 1.0, anharmonic: float = 2.0):
        super().__init__()
        (centre, neighbor), shifts = neighbor_list(reference.positions, reference.cell.array, reference.pbc, reach)
        self.pairs, self.shifts = (centre, neighbor), shifts @ reference.cell.array
        self.rest = np.linalg.norm(self._bonds(reference.positions), axis=1)
        self.stiffness, self.anharmonic = stiffness, anharmonic

    def _bonds(self, positions: np.ndarray) -> np.ndarray:
        centre, neighbor = self.pairs
        return positions[neighbor] - positions[centre] + self.shifts

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        bonds = self._bonds(self.atoms.positions)
        lengths = np.linalg.norm(bonds, axis=1)
        change = lengths - self.rest
        pull = (self.stiffness * change + self.anharmonic * change**3)[:, None] * bonds / lengths[:, None]
        forces = np.zeros((len(self.atoms), 3))
        np.add.at(forces, self.pairs[0], pull)  # each pair is there in both directions, and counts half in the energy
        energy = 0.5 * (self.stiffness * change**2 / 2 + self.anharmonic * change**4 / 4).sum()
        self.results = {"energy": float(energy), "forces": forces}
