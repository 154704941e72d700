"""What VASP leaves: the numbers in vasprun.xml, which ASE reads, and in OUTCAR whether the self-consistency reached its threshold.

The energy is the free energy (e_fr_energy, TOTEN), whose derivative the forces are; not the one extrapolated to zero smearing.
VASP counts compression as positive stress; ASE has turned that to its own sign, which is ours.
"""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from ase.stress import voigt_6_to_full_3x3_stress

from mlff.oracle.base import OracleError, Unconverged
from mlff.oracle.program import tail
from mlff.oracle.program_oracle import Reading

_CONVERGED = "aborting loop because EDIFF is reached"
_NOT_CONVERGED = "aborting loop EDIFF was not reached"  # VASP 6; older ones say nothing at all
_ALGORITHM_FAILED = ("Error EDDDAV", "ZHEGV failed", "BRMIX: very serious problems")
_STEP = re.compile(r"Iteration\s+\d+\(\s*(\d+)\)")
_TIMING = "General timing and accounting"  # OUTCAR's last table


def parse_run(folder: Path, output: str, order: np.ndarray, nelm: int) -> Reading:
    """The numbers of one energy, force and stress evaluation, in the frame's own order of atoms.

    Args:
        output: what VASP wrote to standard output. order: as mlff.oracle.vasp.input.order. nelm: electronic steps it was allowed.
    Raises:
        Unconverged: NELM was reached, or the electronic minimiser broke down.
        OracleError: a file is missing, cut short or without what a label needs.
    """
    if found := [words for words in _ALGORITHM_FAILED if words in output]:
        raise Unconverged(f"VASP's electronic minimiser broke down ({found[0]}); another ALGO may not, or let the retry ladder try one")
    outcar = (folder / "OUTCAR").read_text(errors="replace") if (folder / "OUTCAR").exists() else ""
    if _CONVERGED not in outcar:
        steps = max((int(step) for step in _STEP.findall(outcar)), default=0)
        if _NOT_CONVERGED in outcar or steps >= nelm:
            raise Unconverged(f"VASP's SCF did not converge within NELM = {nelm}; change the mixing, or let the retry ladder do so")
        raise OracleError(f"VASP stopped early, after {steps} electronic steps; it said:\n{tail(output)}")
    if _TIMING not in outcar:
        raise OracleError(f"VASP's OUTCAR is cut short: VASP stopped after its SCF; it said:\n{tail(output)}")
    from ase.io.vasp import read_vasp_xml  # takes 0.2 s to load, which the other oracles need not wait for

    try:
        atoms = next(read_vasp_xml(folder / "vasprun.xml"))
        version = ElementTree.parse(folder / "vasprun.xml").findtext("generator/i[@name='version']")
    except (OSError, ElementTree.ParseError, StopIteration, AttributeError, ValueError, IndexError, TypeError) as error:
        raise OracleError(f"VASP's vasprun.xml cannot be read: {error}; it said:\n{tail(output)}") from error
    if version is None:
        raise OracleError("VASP's vasprun.xml names no version, expected generator/i[@name='version']")
    results = {} if atoms.calc is None else atoms.calc.results
    missing = [name for name in ("free_energy", "forces", "stress") if results.get(name) is None]
    if missing or len(atoms) != len(order):
        raise OracleError(f"VASP's vasprun.xml holds {len(atoms)} atoms and no {missing}, expected {len(order)} atoms with all of them")
    forces = np.empty((len(order), 3))
    forces[order] = results["forces"]
    return Reading(float(results["free_energy"]), forces, voigt_6_to_full_3x3_stress(results["stress"]), version.strip())
