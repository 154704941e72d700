"""Any ASE calculator as an oracle; a trained model too (the oracle layer imports no model)."""

import functools
import importlib.metadata
import json
import pkgutil
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


class NamedCalculator(ASECalculator):
    """Label frames with the ASE calculator of a dotted name.

    Args:
        calculator: the class or function, as "ase.calculators.lj.LennardJones" or "gpaw.GPAW".
        arguments: by keyword, plain JSON; every one of them is a setting of the label. An energy calculator's own text output belongs
            switched off (GPAW: txt: null).
        version: of the code; None: of the package that holds the calculator.
    Raises:
        ValueError: there is no such calculator, its package tells no version, or an argument is no JSON.
        ImportError: its package is not installed.
    """

    def __init__(self, calculator: str, arguments: Mapping[str, object] | None = None, version: str | None = None):
        arguments = dict(arguments or {})
        try:
            json.dumps(arguments)
        except TypeError as error:
            raise ValueError(
                f"the arguments of {calculator} are not plain JSON ({error}); they name the label: give numbers and text"
            ) from error
        make = functools.partial(_made, calculator, arguments)
        _found(calculator)
        package = calculator.split(".")[0]
        settings = {"calculator": calculator, "arguments": arguments}
        super().__init__(make, code=calculator, version=version or _version(package), settings=settings)


def _made(calculator: str, arguments: Mapping[str, object]) -> Calculator:
    """Imported only here, so that an oracle travels as names and numbers."""
    return _found(calculator)(**arguments)


def _found(calculator: str) -> Callable[..., Calculator]:
    try:
        return pkgutil.resolve_name(calculator)
    except AttributeError as error:
        raise ValueError(
            f"there is no ASE calculator {calculator!r} ({error}); expected a dotted name as ase.calculators.emt.EMT"
        ) from error
    except ImportError as error:
        raise ImportError(f"the ASE calculator {calculator!r} cannot be imported ({error}); install its package") from error


def _version(package: str) -> str:
    for distribution in importlib.metadata.packages_distributions().get(package, []):
        return importlib.metadata.version(distribution)
    module = pkgutil.resolve_name(package)
    if not hasattr(module, "__version__"):
        raise ValueError(f"the package {package!r} tells no version, which a label must name; give `oracle.version`")
    return str(module.__version__)


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
