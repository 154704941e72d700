"""What CP2K prints.

The energy is CP2K's total force-evaluation energy, the one its forces derive from; its analytical stress is the pressure tensor
(compression positive), so that ours is its negative.
"""

import re

import numpy as np

from mlff.oracle.base import OracleError, Unconverged
from mlff.oracle.program import tail
from mlff.oracle.program_oracle import Reading, refuse_copies
from mlff.units import BAR, GPA, HARTREE, HARTREE_PER_BOHR

_ENERGY = re.compile(r"ENERGY\| Total FORCE_EVAL \( QS \) energy \[a\.u\.\]:?\s+(\S+)")
_VERSION = re.compile(r"CP2K version\s+(\S+)")
_BANNER = re.compile(r"CP2K\| version string:")
_STRESS_HEADER = re.compile(r"STRESS\| Analytical stress tensor \[(\w+)\]|Analytical stress tensor \[(\w+)\]")
_NUMBER = r"[-+]?\d+\.\d+(?:[EeDd][-+]?\d+)?"
_STRESS_UNIT = {"GPa": GPA, "bar": BAR}


def parse_output(text: str, n_atoms: int, where: str) -> Reading:
    """The numbers of one energy, force and stress evaluation.

    Raises:
        Unconverged: the self-consistency did not converge.
        OracleError: the output is cut short or holds an error.
    """
    refuse_copies(_BANNER.findall(text), "CP2K")
    if "SCF run NOT converged" in text:
        raise Unconverged(f"{where}: the SCF did not converge; change the mixing, or let the retry ladder do so")
    energies = _ENERGY.findall(text)
    if not energies:
        raise OracleError(f"{where} holds no total energy: CP2K stopped early; it said:\n{_said(text)}")
    return Reading(
        energy=float(energies[-1]) * HARTREE,
        forces=_parse_forces(text, n_atoms, where),
        stress=_parse_stress(text, where),
        version=parse_version(text, where),
    )


def parse_version(text: str, where: str) -> str:
    """As CP2K prints it; raises OracleError where it did not."""
    found = _VERSION.search(text)
    if found is None:
        raise OracleError(f"{where} names no CP2K version; found:\n{tail(text)}")
    return found.group(1)


def _parse_forces(text: str, n_atoms: int, where: str) -> np.ndarray:
    start = text.rfind("ATOMIC FORCES in [a.u.]")
    if start < 0:
        raise OracleError(f"{where} holds no atomic forces; set FORCE_EVAL/PRINT/FORCES on")
    rows = re.findall(rf"^\s+\d+\s+\d+\s+[A-Z][a-z]?\w*\s+({_NUMBER})\s+({_NUMBER})\s+({_NUMBER})\s*$", text[start:], re.M)
    if len(rows) < n_atoms:
        raise OracleError(f"{where} holds forces of {len(rows)} atoms, expected {n_atoms}: the file is cut short")
    return np.array(rows[:n_atoms], dtype=float) * HARTREE_PER_BOHR


def _parse_stress(text: str, where: str) -> np.ndarray | None:
    headers = list(_STRESS_HEADER.finditer(text))
    if not headers:
        return None
    header = headers[-1]
    unit = header.group(1) or header.group(2)
    if unit not in _STRESS_UNIT:
        raise OracleError(f"{where} gives its stress in {unit}, expected one of {sorted(_STRESS_UNIT)}")
    rows = re.findall(rf"^\s*(?:STRESS\|)?\s+[xyz]\s+({_NUMBER})\s+({_NUMBER})\s+({_NUMBER})\s*$", text[header.end() :], re.M)[:3]
    if len(rows) < 3:
        raise OracleError(f"{where} holds a stress tensor that is cut short")
    # CP2K prints the pressure tensor (compression positive)
    return -np.array(rows, dtype=float) * _STRESS_UNIT[unit]


def _said(text: str) -> str:
    """What CP2K said when it stopped: its boxed message where there is one, else its last lines."""
    box = re.search(r"\[ABORT\](.*?)\*{20}", text, re.S)
    if box is not None:
        words = re.sub(r"[*|\\/]|\bO(?=/\|)", " ", box.group(1))
        return " ".join(words.replace("___", " ").split())
    return tail(text)
