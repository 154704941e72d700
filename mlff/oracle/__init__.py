"""Reference labels: Atoms in, energy, forces and stress out, with the settings that made them."""

from mlff.oracle.base import Label, Missing, Oracle, OracleError, TimedOut, Unconverged, frame_key
from mlff.oracle.cp2k import CP2K
from mlff.oracle.espresso import QuantumEspresso
from mlff.oracle.named_calculator import NamedCalculator
from mlff.oracle.vasp import VASP
from mlff.oracle.xtb import GFN1xTB

__all__ = [
    "CP2K",
    "VASP",
    "GFN1xTB",
    "Label",
    "Missing",
    "NamedCalculator",
    "Oracle",
    "OracleError",
    "QuantumEspresso",
    "TimedOut",
    "Unconverged",
    "frame_key",
]
