"""pw.x's settings, and its run."""

import functools
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ase import Atoms

from mlff.oracle.base import Missing
from mlff.oracle.espresso.input import render_input
from mlff.oracle.espresso.output import parse_output, parse_version
from mlff.oracle.kpoints import KPoints
from mlff.oracle.ladder import ladder
from mlff.oracle.program import Program
from mlff.oracle.program_oracle import ProgramOracle, Reading

SYSTEM = {"ecutwfc": 60.0, "ecutrho": 480.0, "occupations": "fixed"}
SEARCH = {"diagonalization": "david", "mixing_mode": "plain", "mixing_beta": 0.7, "mixing_ndim": 8, "electron_maxstep": 100}
RETRIES = (
    {"mixing_beta": 0.2, "electron_maxstep": 200},
    {"mixing_mode": "local-TF", "mixing_beta": 0.2, "electron_maxstep": 200},
    {"diagonalization": "cg", "mixing_beta": 0.1, "electron_maxstep": 400},
)
OWN = ("ibrav", "nat", "ntyp", "nosym")  # of &SYSTEM, which the frame and this oracle decide


class QuantumEspresso(ProgramOracle):
    """Label frames with Quantum ESPRESSO's pw.x.

    Args:
        pseudopotentials: file by species, in pseudo_dir; they decide the functional. pseudo_dir: None: $ESPRESSO_PSEUDO.
        kpoints: Monkhorst–Pack divisions along each cell vector, Γ among them.
        kpoint_spacing: 1/Å; instead of kpoints: the fewest divisions of each frame's own cell that are not further apart.
        system: what the namelist &SYSTEM holds beside what the frame says, in Ry where it is an energy (ecutwfc, ecutrho, degauss).
        conv_thr: convergence of the energy, Ry for the whole cell.
        search: the first way to the density, as the namelist &ELECTRONS names it: diagonalization (david, cg), mixing_mode (plain, TF,
            local-TF), mixing_beta (share of the new density), mixing_ndim (densities remembered), electron_maxstep (iterations).
        retries: tried in turn when unconverged, each a change of `search`.
        command: the program with its launcher, one list entry per word; never a shell string.
        threads: OpenMP threads per rank.
        timeout: s for one attempt.
    """

    def __init__(
        self,
        pseudopotentials: Mapping[str, str],
        pseudo_dir: str | Path | None = None,
        kpoints: Sequence[int] = (1, 1, 1),
        kpoint_spacing: float | None = None,
        system: Mapping[str, object] | None = None,
        conv_thr: float = 1e-9,
        search: Mapping[str, object] | None = None,
        retries: Sequence[Mapping[str, object]] = RETRIES,
        command: Sequence[str] = ("pw.x",),
        threads: int = 1,
        timeout: float = 7200.0,
    ):
        self.kpoints = KPoints.of(kpoints, kpoint_spacing)
        self.system = dict(SYSTEM if system is None else system)
        if taken := sorted(set(self.system) & set(OWN)):
            raise ValueError(f"`oracle.system` holds {taken}, which the frame and this oracle decide: leave them out")
        self.pseudopotentials = dict(pseudopotentials)
        self.pseudo_dir = None if pseudo_dir is None else str(pseudo_dir)
        self.settings = {
            "code": "Quantum ESPRESSO",
            "kpoints": self.kpoints.setting,
            "system": self.system,
            "conv_thr": float(conv_thr),
            "pseudopotentials": self.pseudopotentials,
        }
        self.ways = ladder(SEARCH | dict(search or {}), retries, SEARCH)
        remedy = "install Quantum ESPRESSO (Debian: `apt install quantum-espresso`)"
        self.program = Program("Quantum ESPRESSO", command, threads, timeout, remedy)

    @functools.cached_property
    def version(self) -> str:
        """The program's own, asked once, without its launcher: pw.x has no option for it, but says it before it refuses an empty input."""
        with tempfile.TemporaryDirectory(prefix="QuantumEspresso-") as name:
            folder = Path(name)
            (folder / "empty.in").touch()
            text = self.program.alone().run(folder, "-i", "empty.in").output
        return parse_version(text, where=f"what {self.program.command[-1]} said to an empty input")

    def write(self, atoms: Atoms, way: Mapping[str, object], folder: Path) -> list[str]:
        text = render_input(
            atoms,
            self.system,
            {"conv_thr": self.settings["conv_thr"], **way},
            self.pseudopotentials,
            self._pseudo_dir(atoms),
            self.kpoints.divisions(atoms.cell.array),
        )
        (folder / "frame.in").write_text(text)
        return ["-i", "frame.in"]

    def read(self, atoms: Atoms, way: Mapping[str, object], folder: Path, output: str) -> Reading:
        return parse_output(output, n_atoms=len(atoms), where="pw.x's output")

    def _pseudo_dir(self, atoms: Atoms) -> Path:
        """Where every pseudopotential of this frame was seen."""
        unnamed = sorted(set(atoms.symbols) - set(self.pseudopotentials))
        if unnamed:
            raise ValueError(
                f"no pseudopotential of {unnamed} is given, only of {sorted(self.pseudopotentials)}; name it in `oracle.pseudopotentials`"
            )
        folder = self.pseudo_dir or os.environ.get("ESPRESSO_PSEUDO")
        if folder is None:
            raise Missing("no folder of pseudopotentials is named; give `oracle.pseudo_dir`, or set ESPRESSO_PSEUDO")
        for symbol in sorted(set(atoms.symbols)):
            file = self.pseudopotentials[symbol]
            if not (Path(folder) / file).is_file():
                raise Missing(f"the pseudopotential {file!r} of {symbol} is not in {folder}; put it there, or name another")
        return Path(folder).resolve()
