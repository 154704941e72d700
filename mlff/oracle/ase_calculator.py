"""Any ASE calculator as an oracle; a trained model too (the oracle layer imports no model)."""

import time
from collections.abc import Callable, Mapping

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BadConfiguration, Calculator, CalculatorSetupError, PropertyNotImplementedError, SCFError
from ase.stress import voigt_6_to_full_3x3_stress

from mlff.oracle.base import Label, Missing, OracleError, Unconverged, settings_hash


class ASECalculator:
    """Label frames with an ASE calculator.

    Args:
        make: returns a fresh calculator; called once per frame, so that no state leaks between frames. What pickles (a function of a
            module, or functools.partial of one), so that a worker process can be sent the oracle.
        code, version, settings: what the label's provenance says.
    """

    def __init__(self, make: Callable[[], Calculator], code: str, version: str, settings: Mapping[str, object]):
        self.make = make
        self.code, self.version = code, version
        self.settings = {"code": code, **settings}

    def label(self, atoms: Atoms) -> Label:
        """Energy, forces and stress of one frame; raises Unconverged, OracleError, or Missing where the calculator is not set up.

        It runs in this process and has no time-out of its own.
        """
        started = time.monotonic()
        frame = Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
        frame.calc = self.make()
        try:
            energy = _free_energy(frame)
            forces = frame.get_forces()
            stress = _stress(frame)
        except (BadConfiguration, CalculatorSetupError) as error:
            raise Missing(f"{self.code} is not set up: {error}; give what it needs in `oracle.arguments`, or install it") from error
        except SCFError as error:
            raise Unconverged(f"{self.code} did not converge on {frame.get_chemical_formula()}: {error}") from error
        except (RuntimeError, ValueError) as error:
            if "not converged" in str(error):  # tblite's words; it raises its own RuntimeError
                raise Unconverged(f"{self.code} did not converge on {frame.get_chemical_formula()}: {error}") from error
            raise OracleError(f"{self.code} failed on {frame.get_chemical_formula()}: {error}") from error
        if not (np.isfinite(energy) and np.isfinite(forces).all()):
            raise OracleError(
                f"{self.code} answered NaN for {frame.get_chemical_formula()}; expected finite numbers: look at its shortest distances"
            )
        return Label(
            energy=float(energy),
            forces=forces,
            stress=stress,
            converged=True,
            code=self.code,
            version=self.version,
            settings_hash=settings_hash(self.settings),
            wall_time=time.monotonic() - started,
        )


def _free_energy(frame: Atoms) -> float:
    """The energy that the forces derive from; with smearing, ASE's plain one is extrapolated to none."""
    try:
        return frame.get_potential_energy(force_consistent=True)
    except PropertyNotImplementedError:
        return frame.get_potential_energy()


def _stress(frame: Atoms) -> np.ndarray | None:
    if not all(frame.pbc):
        return None
    try:
        return voigt_6_to_full_3x3_stress(frame.get_stress())
    except PropertyNotImplementedError:
        return None
