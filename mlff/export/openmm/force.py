"""A trained model as an OpenMM force."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from mlff.data.dataset import species_indices
from mlff.export.ase import MLFFCalculator
from mlff.units import KJ_PER_MOL, NM

if TYPE_CHECKING:
    import openmm


def force(
    model: str | os.PathLike | MLFFCalculator,
    species: Sequence[str],
    pbc: bool | Sequence[bool] = True,
    device: str | None = None,
    dtype: str | None = None,
    skin: float = 0.5,
) -> openmm.PythonForce:
    """A force for `System.addForce`, on all particles, that evaluates the model with its neighbours remembered from call to call.

    The box is the context's at each call, and OpenMM's barostats work: they want energies of trial boxes, no virial. The force cannot be
    serialized, because OpenMM would pickle the model for that; load the model again instead.

    Args:
        model: what `MLFFCalculator.load` takes, or a calculator, which brings its own device, dtype and skin.
        species: chemical symbols of all particles, in their order.
        pbc: all axes, none, or each; a mixture wants a platform that leaves positions as they are, "Reference" or "CPU".
        device, dtype, skin: of `MLFFCalculator`; the device is the model's, whatever the platform of the context.
    Raises:
        ValueError: a species that the model does not know.
    """
    import openmm  # here, so that what needs no OpenMM starts without

    calculator = model if isinstance(model, MLFFCalculator) else MLFFCalculator.load(model, device=device, dtype=dtype, skin=skin)
    atoms = Atoms(list(species), pbc=pbc)
    species_indices(atoms.numbers, calculator.runner.species, "the System")  # what is wrong is told now, not in the first step
    made = openmm.PythonForce(_computation(atoms, calculator))
    made.setName("MLFF")
    made.setUsesPeriodicBoundaryConditions(bool(atoms.pbc.any()))
    return made


def _computation(atoms: Atoms, calculator: MLFFCalculator) -> Callable[[openmm.State], tuple[float, np.ndarray]]:
    """State → energy in kJ/mol and forces in kJ/mol/nm; a function of a function, which OpenMM finds that it cannot pickle."""
    from openmm.unit import nanometer

    atoms.calc = calculator
    last: np.ndarray | None = None  # fractional coordinates

    def compute(state: openmm.State) -> tuple[float, np.ndarray]:
        nonlocal last
        atoms.positions = state.getPositions(asNumpy=True).value_in_unit(nanometer) * NM
        if atoms.pbc.any():
            atoms.cell = state.getPeriodicBoxVectors(asNumpy=True).value_in_unit(nanometer) * NM
            fractional = atoms.cell.scaled_positions(atoms.positions)
            if last is not None:
                # platforms and barostats wrap atoms into the box, but neighbours are remembered of those that move a little
                jumps = np.round(fractional - last) * atoms.pbc
                atoms.positions -= jumps @ atoms.cell.array
                fractional -= jumps
            last = fractional
        return atoms.get_potential_energy() / KJ_PER_MOL, atoms.get_forces() / (KJ_PER_MOL / NM)

    return compute
