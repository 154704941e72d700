"""GFN1-xTB through tblite: the oracle that needs no set-up.

Γ only, so that its forces depend on the cell's size (180 meV/Å between 16 and 32 atoms of Li3PS4):
use one cell size per campaign and say so.
"""

import functools
import importlib.metadata

from mlff.oracle.ase_calculator import ASECalculator


class GFN1xTB(ASECalculator):
    """Label frames with GFN1-xTB.

    Args:
        method: as tblite names it.
        accuracy: tblite's numerical accuracy; smaller is tighter.
        electronic_temperature: K.
    """

    def __init__(self, method: str = "GFN1-xTB", accuracy: float = 0.1, electronic_temperature: float = 300.0):
        arguments = {"method": method, "accuracy": accuracy, "electronic_temperature": electronic_temperature}
        super().__init__(functools.partial(_calculator, **arguments), code="tblite", version=_tblite_version(), settings=arguments)


def _calculator(**arguments):
    from tblite.ase import TBLite

    return TBLite(verbosity=0, **arguments)


def _tblite_version() -> str:
    try:
        return importlib.metadata.version("tblite")
    except importlib.metadata.PackageNotFoundError as error:
        raise ImportError("GFN1-xTB needs tblite; install it with `pip install .[xtb]`") from error
