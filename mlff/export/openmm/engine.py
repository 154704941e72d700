"""OpenMM as an engine."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms, units

from mlff.export.ase import MLFFCalculator
from mlff.export.ase.with_calculator import WithCalculator
from mlff.export.engine import Answer, no_device
from mlff.export.openmm.force import force
from mlff.export.orientation import oriented
from mlff.units import KJ_PER_MOL, NM, PS

if TYPE_CHECKING:
    import openmm

# of the differences that give the stress: errors of the fourth order stay below the noise of the energies
STRAIN = {"float64": 1e-4, "float32": 1e-3}
PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


class OpenMM(WithCalculator):
    """`mlff.export.openmm.force` on OpenMM's Reference platform, whose arithmetic is float64 throughout.

    OpenMM knows no virial, so that `answers` takes the stress from differences of the energies that OpenMM gives for strained boxes:
    (8 (E₁ − E₋₁) − (E₂ − E₋₂)) / 12 h V for each of six strains. Of the shipped model's golden frames it differs from the derivative by
    4 · 10⁻¹¹ eV/Å³ with a float64 network and by 5 · 10⁻⁶ with a float32 network, whose energies are rough; of strongly compressed cells
    of 118 Å³ by 3 · 10⁻⁸ and 2 · 10⁻⁴.
    """

    example = Path(__file__).parent / "example"
    stress_by_differences = True

    def missing(self) -> str | None:
        if importlib.util.find_spec("openmm") is None:
            return "OpenMM is not installed; `pip install .[openmm]`"
        import openmm

        if not hasattr(openmm, "PythonForce"):
            return f"OpenMM {openmm.__version__} has no PythonForce, which came with 8.4; `pip install .[openmm]`"
        return no_device(self.device)

    def answers(self, folder: Path, frames: Sequence[Atoms]) -> list[Answer]:
        calculator = self._calculator(folder)
        return [_answer(calculator, atoms, STRAIN[self.dtype]) for atoms in frames]

    def nve(self, folder: Path, atoms: Atoms, timestep: float, n_steps: int) -> np.ndarray:
        turned, _ = oriented(atoms)
        context = _context(self._calculator(folder), turned, timestep)
        # leapfrog keeps velocities of half a step ago, and OpenMM's kinetic energy is of velocities carried on to the positions' time
        acceleration = _forces(context) / turned.get_masses()[:, None]  # nm/ps²
        velocities = turned.get_velocities() * units.fs / (NM / PS)
        context.setVelocities(velocities - 0.5 * timestep / PS * acceleration)
        energies = [_total_energy(context)]
        for _ in range(n_steps):
            context.getIntegrator().step(1)
            energies.append(_total_energy(context))
        return np.array(energies)


def _answer(calculator: MLFFCalculator, atoms: Atoms, step: float) -> Answer:
    turned, rotation = oriented(atoms)
    context = _context(calculator, turned)
    energy, forces = _energy(context), _forces(context) * (KJ_PER_MOL / NM) @ rotation
    return Answer(energy, forces, _stress(context, atoms, step) if atoms.cell.rank == 3 else None)


def _context(calculator: MLFFCalculator, turned: Atoms, timestep: float = 1.0) -> "openmm.Context":
    import openmm

    system = openmm.System()
    for mass in turned.get_masses():
        system.addParticle(mass)
    system.addForce(force(calculator, turned.get_chemical_symbols(), turned.pbc))
    context = openmm.Context(system, openmm.VerletIntegrator(timestep / PS), openmm.Platform.getPlatformByName("Reference"))
    _place(context, turned)
    return context


def _place(context: "openmm.Context", turned: Atoms) -> None:
    context.setPeriodicBoxVectors(*turned.cell.array / NM)
    context.setPositions(turned.positions / NM)


def _stress(context: "openmm.Context", atoms: Atoms, step: float) -> np.ndarray:
    """(3, 3), eV/Å³, in the axes of the atoms."""
    stress = np.zeros((3, 3))
    for i, j in PAIRS:
        strain = np.zeros((3, 3))
        strain[i, j] = strain[j, i] = 0.5 if i != j else 1.0
        once, twice = (
            _strained_energy(context, atoms, size * strain) - _strained_energy(context, atoms, -size * strain) for size in (step, 2 * step)
        )
        stress[i, j] = stress[j, i] = (8 * once - twice) / (12 * step * atoms.get_volume())
    return stress


def _strained_energy(context: "openmm.Context", atoms: Atoms, strain: np.ndarray) -> float:
    strained = atoms.copy()
    strained.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=False)
    strained.positions = atoms.positions @ (np.eye(3) + strain)
    _place(context, oriented(strained)[0])
    return _energy(context)


def _energy(context: "openmm.Context") -> float:
    from openmm.unit import kilojoule_per_mole

    return context.getState(getEnergy=True).getPotentialEnergy().value_in_unit(kilojoule_per_mole) * KJ_PER_MOL


def _total_energy(context: "openmm.Context") -> float:
    from openmm.unit import kilojoule_per_mole

    state = context.getState(getEnergy=True)
    return (state.getPotentialEnergy() + state.getKineticEnergy()).value_in_unit(kilojoule_per_mole) * KJ_PER_MOL


def _forces(context: "openmm.Context") -> np.ndarray:
    """(n_atoms, 3), kJ/mol/nm."""
    from openmm.unit import kilojoule_per_mole, nanometer

    return context.getState(getForces=True).getForces(asNumpy=True).value_in_unit(kilojoule_per_mole / nanometer)
