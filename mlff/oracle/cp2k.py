"""CP2K (Quickstep, GPW) as an oracle: input written, program run, output read.

The energy is CP2K's total force-evaluation energy, the one its forces derive from; its analytical
stress is the pressure tensor (compression positive), so that ours is its negative.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.oracle.base import Label, OracleError, Unconverged, settings_hash
from mlff.units import BAR, GPA, HARTREE, HARTREE_PER_BOHR

# electrons of each GTH-PBE pseudopotential, with the semicore shells that the MOLOPT bases are made for
VALENCE = {"H": 1, "Li": 3, "B": 3, "O": 6, "Na": 9, "Si": 4, "P": 5, "S": 6, "Cl": 7, "Ge": 4, "Sb": 5, "Br": 7, "I": 7}
VALENCE |= {"Ag": 11, "Sn": 4, "W": 14}

_ENERGY = re.compile(r"ENERGY\| Total FORCE_EVAL \( QS \) energy \[a\.u\.\]:?\s+(\S+)")
_VERSION = re.compile(r"CP2K version\s+(\S+)")
_STRESS_HEADER = re.compile(r"STRESS\| Analytical stress tensor \[(\w+)\]|Analytical stress tensor \[(\w+)\]")
_NUMBER = r"[-+]?\d+\.\d+(?:[EeDd][-+]?\d+)?"
_STRESS_UNIT = {"GPa": GPA, "bar": BAR}


class CP2K:
    """Label frames with CP2K's Quickstep.

    Args:
        kpoints: Monkhorst–Pack divisions along each cell vector.
        kpoint_spacing: 1/Å; instead of kpoints: the fewest divisions of each frame's own cell that are not further apart. A cell that
            breathes across a step of this rule changes its divisions; for one cell's frames prefer kpoints.
        cutoff, rel_cutoff: plane-wave cutoffs, Ry.
        basis, potential: the same name for every species, or one by species; a basis outside BASIS_MOLOPT as "file:name".
        functional: as CP2K names it.
        dispersion: whether to add D3(BJ); dispersion_cutoff: its range, Å.
        eps_scf, eps_default: convergence of the density, and precision of the grids (1e-10 is 0.6 µeV/atom from 1e-12 for Li3PS4).
        max_scf, mixing: of the first attempt; how the density got there does not change the label, so they are not settings.
        retries: tried in turn when unconverged, each a change of the mixing ({"alpha": …, "max_scf": …}).
        command: the program with its launcher, one list entry per word; never a shell string.
        threads: OpenMP threads per rank.
        timeout: s for one frame.
    """

    def __init__(
        self,
        kpoints: Sequence[int] = (1, 1, 1),
        kpoint_spacing: float | None = None,
        cutoff: float = 400.0,
        rel_cutoff: float = 50.0,
        basis: str | Mapping[str, str] = "DZVP-MOLOPT-SR-GTH",
        potential: str | Mapping[str, str] = "GTH-PBE",
        functional: str = "PBE",
        dispersion: bool = True,
        dispersion_cutoff: float = 16.0,
        eps_scf: float = 1e-5,
        eps_default: float = 1e-10,
        max_scf: int = 60,
        mixing: Mapping[str, float] | None = None,
        retries: Sequence[Mapping[str, float]] = ({"alpha": 0.1, "max_scf": 200},),
        command: Sequence[str] = ("cp2k.psmp",),
        threads: int = 1,
        timeout: float = 7200.0,
    ):
        self.settings = {
            "code": "CP2K",
            "kpoints": [int(k) for k in kpoints] if kpoint_spacing is None else f"spacing {float(kpoint_spacing)} 1/Å",
            "cutoff": float(cutoff),
            "rel_cutoff": float(rel_cutoff),
            "basis": basis if isinstance(basis, str) else dict(basis),
            "potential": potential if isinstance(potential, str) else dict(potential),
            "functional": functional,
            "dispersion": "D3(BJ)" if dispersion else None,
            "dispersion_cutoff": float(dispersion_cutoff) if dispersion else None,
            "eps_scf": float(eps_scf),
            "eps_default": float(eps_default),
        }
        self.kpoint_spacing = kpoint_spacing
        self.max_scf = int(max_scf)
        self.mixing = {"alpha": 0.4, "nbroyden": 8} | dict(mixing or {})
        self.retries = [dict(retry) for retry in retries]
        self.command = [str(word) for word in command]
        self.threads = int(threads)
        self.timeout = float(timeout)

    @property
    def version(self) -> str:
        """The program's own version, asked once."""
        if not hasattr(self, "_version"):
            self._version = _ask_version(self.command[-1])
        return self._version

    def label(self, atoms: Atoms) -> Label:
        """Energy, forces and stress of one frame; raises Unconverged or OracleError."""
        attempts = [{}, *self.retries]
        for number, change in enumerate(attempts):
            try:
                return self._run(atoms, self.mixing | change)
            except Unconverged:
                if number == len(attempts) - 1:
                    raise
        raise AssertionError("unreachable")

    def kpoints_of(self, atoms: Atoms) -> list[int]:
        """The Monkhorst–Pack divisions that a frame is labelled with."""
        return self.settings["kpoints"] if self.kpoint_spacing is None else monkhorst_pack(atoms.cell.array, self.kpoint_spacing)

    def _run(self, atoms: Atoms, mixing: Mapping[str, float]) -> Label:
        started = time.monotonic()
        environment = os.environ | {
            "OMP_NUM_THREADS": str(self.threads),
            # a rank started alone is still an MPI program: Open MPI refuses root unless told
            "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        }
        with tempfile.TemporaryDirectory(prefix="cp2k-") as folder:
            path = Path(folder)
            max_scf = int(mixing.get("max_scf", self.max_scf))
            (path / "frame.inp").write_text(render_input(atoms, self.settings, self.kpoints_of(atoms), mixing, max_scf))
            try:
                done = subprocess.run(
                    [*self.command, "-i", "frame.inp"],
                    cwd=path,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    errors="replace",
                    timeout=self.timeout,
                )
            except FileNotFoundError as error:
                raise OracleError(_missing(self.command[0])) from error
            except subprocess.TimeoutExpired as error:
                raise OracleError(
                    f"CP2K did not finish {atoms.get_chemical_formula()} within {self.timeout:g} s; raise `oracle.timeout`"
                ) from error
            energy, forces, stress, version = parse_output(done.stdout, n_atoms=len(atoms), where="CP2K's output")
            if done.returncode != 0:
                raise OracleError(f"CP2K exited with status {done.returncode}; it said:\n{_tail(done.stdout)}")
        return Label(
            energy=energy,
            forces=forces,
            stress=stress,
            converged=True,
            code="CP2K",
            version=version,
            settings_hash=settings_hash(self.settings),
            wall_time=time.monotonic() - started,
        )


def monkhorst_pack(cell: np.ndarray, spacing: float) -> list[int]:
    """The fewest divisions along each reciprocal vector whose points are at most `spacing` (1/Å, with 2π) apart; cell (3, 3), Å."""
    lengths = 2 * np.pi * np.linalg.norm(np.linalg.inv(cell), axis=0)
    return [max(1, int(np.ceil(length / spacing))) for length in lengths]


def render_input(atoms: Atoms, settings: Mapping[str, object], kpoints: Sequence[int], mixing: Mapping[str, float], max_scf: int) -> str:
    """CP2K's input for one energy, force and stress evaluation of a periodic cell."""
    if not all(atoms.pbc):
        raise ValueError(
            f"CP2K labels periodic cells here; found pbc {atoms.pbc.tolist()}, expected all True: centre the frame in a cell and set pbc"
        )
    species = sorted(set(atoms.get_chemical_symbols()))
    unknown = [s for s in species if s not in VALENCE and isinstance(settings["potential"], str)]
    if unknown:
        raise ValueError(f"no GTH valence is known for {unknown}; name the pseudopotential of each species in `oracle.potential`")

    def by_species(value, symbol: str) -> str:
        return value if isinstance(value, str) else value[symbol]

    kinds, files = [], []
    for symbol in species:
        file, _, basis = by_species(settings["basis"], symbol).rpartition(":")
        files.append(file or "BASIS_MOLOPT")
        potential = by_species(settings["potential"], symbol)
        if not re.search(r"-q\d+$", potential):
            potential = f"{potential}-q{VALENCE[symbol]}"
        kinds += [
            f"    &KIND {symbol}",
            f"      BASIS_SET {basis}",
            f"      POTENTIAL {potential}",
            "    &END KIND",
        ]
    dispersion = []
    if settings["dispersion"]:
        dispersion = [
            "      &VDW_POTENTIAL",
            "        POTENTIAL_TYPE PAIR_POTENTIAL",
            "        &PAIR_POTENTIAL",
            "          TYPE DFTD3(BJ)",
            "          PARAMETER_FILE_NAME dftd3.dat",
            f"          REFERENCE_FUNCTIONAL {settings['functional']}",
            f"          R_CUTOFF [angstrom] {settings['dispersion_cutoff']}",
            "        &END PAIR_POTENTIAL",
            "      &END VDW_POTENTIAL",
        ]
    k_section = []
    if max(kpoints) > 1:
        # FULL_GRID OFF keeps time-reversal pairs only once; frames of MD have no other symmetry
        k_section = [
            "    &KPOINTS",
            f"      SCHEME MONKHORST-PACK {kpoints[0]} {kpoints[1]} {kpoints[2]}",
            "      SYMMETRY OFF",
            "      FULL_GRID OFF",
            "    &END KPOINTS",
        ]
    cell = [f"      {name} {' '.join(f'{x:.10f}' for x in vector)}" for name, vector in zip("ABC", atoms.cell.array, strict=True)]
    positions = [
        f"      {s} {' '.join(f'{x:.10f}' for x in r)}" for s, r in zip(atoms.get_chemical_symbols(), atoms.positions, strict=True)
    ]
    lines = [
        "&GLOBAL",
        "  PROJECT frame",
        "  RUN_TYPE ENERGY_FORCE",
        "  PRINT_LEVEL LOW",
        "&END GLOBAL",
        "&FORCE_EVAL",
        "  METHOD Quickstep",
        "  STRESS_TENSOR ANALYTICAL",
        "  &DFT",
        *(f"    BASIS_SET_FILE_NAME {file}" for file in dict.fromkeys(files)),
        "    POTENTIAL_FILE_NAME GTH_POTENTIALS",
        "    &MGRID",
        f"      CUTOFF {settings['cutoff']}",
        f"      REL_CUTOFF {settings['rel_cutoff']}",
        "    &END MGRID",
        "    &QS",
        f"      EPS_DEFAULT {settings['eps_default']:.1E}",
        "    &END QS",
        "    &SCF",
        f"      EPS_SCF {settings['eps_scf']:.1E}",
        f"      MAX_SCF {max_scf}",
        "      SCF_GUESS ATOMIC",
        "      &DIAGONALIZATION",
        "        ALGORITHM STANDARD",
        "      &END DIAGONALIZATION",
        "      &MIXING",
        "        METHOD BROYDEN_MIXING",
        f"        ALPHA {mixing['alpha']}",
        f"        NBROYDEN {int(mixing['nbroyden'])}",
        "      &END MIXING",
        "      &PRINT",
        "        &RESTART OFF",
        "        &END RESTART",
        "      &END PRINT",
        "    &END SCF",
        *k_section,
        "    &XC",
        f"      &XC_FUNCTIONAL {settings['functional']}",
        "      &END XC_FUNCTIONAL",
        *dispersion,
        "    &END XC",
        "  &END DFT",
        "  &SUBSYS",
        "    &CELL",
        *cell,
        "      PERIODIC XYZ",
        "    &END CELL",
        "    &COORD",
        *positions,
        "    &END COORD",
        *kinds,
        "  &END SUBSYS",
        "  &PRINT",
        "    &FORCES ON",
        "    &END FORCES",
        "    &STRESS_TENSOR ON",
        "    &END STRESS_TENSOR",
        "  &END PRINT",
        "&END FORCE_EVAL",
    ]
    return "\n".join(lines) + "\n"


def parse_output(text: str, n_atoms: int, where: str) -> tuple[float, np.ndarray, np.ndarray | None, str]:
    """Energy (eV), forces (n_atoms, 3) (eV/Å), stress (3, 3) (eV/Å³, tension positive) and version.

    Raises:
        Unconverged: the self-consistency did not converge.
        OracleError: the output is cut short or holds an error.
    """
    if "SCF run NOT converged" in text:
        raise Unconverged(f"{where}: the SCF did not converge; change the mixing, or let the retry ladder do so")
    energies = _ENERGY.findall(text)
    version = _VERSION.search(text)
    if not energies or version is None:
        raise OracleError(f"{where} holds no total energy: CP2K stopped early; it said:\n{_tail(text)}")
    return (
        float(energies[-1]) * HARTREE,
        _parse_forces(text, n_atoms, where),
        _parse_stress(text, where),
        version.group(1),
    )


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


def _ask_version(program: str) -> str:
    if shutil.which(program) is None:
        raise OracleError(_missing(program))
    text = subprocess.run([program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
    found = _VERSION.search(text)
    if found is None:
        raise OracleError(f"`{program} --version` named no CP2K version; found:\n{_tail(text)}")
    return found.group(1)


def _missing(program: str) -> str:
    return f"the program {program!r} was not found; install CP2K (Debian: `apt install cp2k`) or name yours in `oracle.command`"


def _tail(text: str, n_lines: int = 18) -> str:
    """What CP2K said when it stopped: its boxed message where there is one, else its last lines."""
    box = re.search(r"\[ABORT\](.*?)\*{20}", text, re.S)
    if box is not None:
        words = re.sub(r"[*|\\/]|\bO(?=/\|)", " ", box.group(1))
        return " ".join(words.replace("___", " ").split())
    return "\n".join(line for line in text.splitlines()[-n_lines:] if line.strip())
