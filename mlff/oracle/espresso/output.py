"""What pw.x prints.

The energy is the line marked with "!": with smearing it holds −TS, and the forces are its derivative. The printed stress counts
compression as positive, so that ours is its negative. Rydberg atomic units.
"""

import re

import numpy as np

from mlff.oracle.base import OracleError, Unconverged
from mlff.oracle.program import tail
from mlff.oracle.program_oracle import Reading, refuse_copies
from mlff.units import BOHR, RYDBERG

_ENERGY = re.compile(r"^!\s+total energy\s+=\s+(\S+) Ry", re.M)
_VERSION = re.compile(r"Program PWSCF v\.(\S+)")
_FORCE = re.compile(r"^\s+atom\s+\d+\s+type\s+\d+\s+force =\s+(\S+)\s+(\S+)\s+(\S+)\s*$", re.M)
_STRESS = re.compile(r"total\s+stress\s+\(Ry/bohr\*\*3\).*\n((?:.*\n){3})")
_UNCONVERGED = ("convergence NOT achieved", "too many bands are not converged")
_BOX = re.compile(r"%{20,}\n(.*?)%{20,}", re.S)


def parse_output(text: str, n_atoms: int, where: str) -> Reading:
    """The numbers of one energy, force and stress evaluation.

    Raises:
        Unconverged: the self-consistency, or its eigenvalues, did not converge.
        OracleError: the output is cut short or holds an error.
    """
    refuse_copies(_VERSION.findall(text), "pw.x")
    if any(words in text for words in _UNCONVERGED):
        raise Unconverged(f"{where}: the SCF did not converge; change the mixing, or let the retry ladder do so")
    energy, force_rows, stress = _ENERGY.search(text), text.rfind("Forces acting on atoms"), _STRESS.search(text)
    if energy is None or "convergence has been achieved" not in text:
        raise OracleError(f"{where} holds no converged energy: pw.x stopped early; it said:\n{_said(text)}")
    forces = _FORCE.findall(text[max(force_rows, 0) :])[:n_atoms]  # the first rows are the totals; contributions may follow
    if force_rows < 0 or len(forces) < n_atoms:
        raise OracleError(f"{where} holds forces of {len(forces)} atoms, expected {n_atoms}: the file is cut short")
    rows = [] if stress is None else [line.split()[:3] for line in stress.group(1).splitlines()]
    if [len(row) for row in rows] != [3, 3, 3]:
        raise OracleError(f"{where} holds no whole stress tensor: the file is cut short")
    try:
        return Reading(
            energy=float(energy.group(1)) * RYDBERG,
            forces=np.array(forces, dtype=float) * RYDBERG / BOHR,
            stress=-np.array(rows, dtype=float) * RYDBERG / BOHR**3,
            version=parse_version(text, where),
        )
    except ValueError as error:  # Fortran prints asterisks where a number is too long for its field
        raise OracleError(f"{where} holds something that is no number ({error}): look at the frame's shortest distances") from error


def parse_version(text: str, where: str) -> str:
    """As pw.x prints it; raises OracleError where it did not."""
    found = _VERSION.search(text)
    if found is None:
        raise OracleError(f"{where} names no version of pw.x; found:\n{tail(text)}")
    return found.group(1)


def _said(text: str) -> str:
    """The message between lines of % where there is one, else the last lines."""
    box = _BOX.search(text)
    return tail(text) if box is None else " ".join(box.group(1).split())
