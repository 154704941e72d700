"""An ASE calculator by its dotted name and arguments: GPAW, EMT, or one of your own."""

import functools
import importlib.metadata
import json
import pkgutil
from collections.abc import Callable, Mapping

from ase.calculators.calculator import Calculator

from mlff.oracle.ase_calculator import ASECalculator


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
