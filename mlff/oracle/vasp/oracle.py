"""VASP's settings, and its run. It was tested on outputs written after VASP's manual and a stand-in for the program, not on VASP itself."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ase import Atoms

from mlff.oracle.base import Missing
from mlff.oracle.kpoints import KPoints
from mlff.oracle.ladder import ladder
from mlff.oracle.program import Program
from mlff.oracle.program_oracle import ProgramOracle, Reading
from mlff.oracle.vasp import input as files
from mlff.oracle.vasp.output import parse_run

INCAR = {"ENCUT": 520.0, "PREC": "Accurate", "EDIFF": 1e-6, "ISMEAR": 0, "SIGMA": 0.05, "LREAL": False, "LASPH": True}
SEARCH = {"ALGO": "Normal", "NELM": 100}
RETRIES = (
    {"ALGO": "Fast", "AMIX": 0.1, "BMIX": 0.01, "NELM": 200},
    {"ALGO": "All", "NELM": 300},
    {"ALGO": "Damped", "TIME": 0.1, "NELM": 500},
)
# how the density is searched, and nothing else; of ALGO, the minimisers of the same functional
KNOBS = ("ALGO", "NELM", "NELMDL", "NELMIN", "IMIX", "INIMIX", "AMIX", "BMIX", "AMIX_MAG", "BMIX_MAG", "AMIN", "MAXMIX", "WC", "TIME")
ALGORITHMS = ("Normal", "VeryFast", "Fast", "Conjugate", "All", "Damped")
LAYOUT = ("NCORE", "NPAR", "KPAR", "NSIM", "LPLANE", "LSCALAPACK")


class VASP(ProgramOracle):
    """Label frames with VASP.

    Args:
        version: of the program, as "6.4.2": VASP cannot be asked for it without a run; every output is compared with it.
        potentials: the folder that holds <setup>/POTCAR. A relative one lies below $VASP_PP_PATH where that is set. The label's settings
            keep its last name, so give each release a folder of its own (potpaw_PBE.54).
        setups: by species, as Li: Li_sv; a species without one uses the folder of its own name.
        kpoints: divisions along each cell vector, of a mesh with Γ in it.
        kpoint_spacing: 1/Å; instead of kpoints: the fewest divisions of each frame's own cell that are not further apart.
        incar: what changes the label (ENCUT in eV, EDIFF in eV, smearing, functional, dispersion), as VASP names it.
        search: the first way to the density: ALGO, NELM, and the mixing's tags.
        retries: tried in turn when unconverged, each a change of `search`.
        layout: how the work is spread over ranks (NCORE, KPAR, …); it changes no label.
        command: the program with its launcher, one list entry per word; never a shell string.
        threads: OpenMP threads per rank.
        timeout: s for one attempt.
    """

    def __init__(
        self,
        version: str,
        potentials: str | Path,
        setups: Mapping[str, str] | None = None,
        kpoints: Sequence[int] = (1, 1, 1),
        kpoint_spacing: float | None = None,
        incar: Mapping[str, object] | None = None,
        search: Mapping[str, object] | None = None,
        retries: Sequence[Mapping[str, object]] = RETRIES,
        layout: Mapping[str, object] | None = None,
        command: Sequence[str] = ("vasp_std",),
        threads: int = 1,
        timeout: float = 7200.0,
    ):
        self.version = str(version)
        self.kpoints = KPoints.of(kpoints, kpoint_spacing)
        self.potentials = str(potentials)
        self.setups = dict(setups or {})
        self.incar = dict(INCAR if incar is None else incar)
        taken = sorted(set(self.incar) & {*files.OWN, *KNOBS, *LAYOUT})
        if taken:
            raise ValueError(
                f"`oracle.incar` holds {taken}; it is for what changes the label: give how the density is searched as `oracle.search`, "
                f"how the work is spread as `oracle.layout`, and leave out {', '.join(files.OWN)}, which the oracle decides"
            )
        self.layout = dict(layout or {})
        if unknown := sorted(set(self.layout) - set(LAYOUT)):
            raise ValueError(f"`oracle.layout` holds {unknown}, expected some of {list(LAYOUT)}")
        self.settings = {
            "code": "VASP",
            "kpoints": self.kpoints.setting,
            "incar": self.incar,
            "potentials": Path(self.potentials).name,
            "setups": self.setups,
        }
        self.ways = ladder(SEARCH | dict(search or {}), retries, KNOBS)
        if unknown := [way["ALGO"] for way in self.ways if way["ALGO"] not in ALGORITHMS]:
            raise ValueError(f"ALGO is to be {unknown[0]!r}, expected one of {list(ALGORITHMS)}")
        self.program = Program("VASP", command, threads, timeout, remedy="VASP is licensed: install your copy")

    def write(self, atoms: Atoms, way: Mapping[str, object], folder: Path) -> list[str]:
        (folder / "INCAR").write_text(files.incar({**files.OWN, **self.incar, **way, **self.layout}))
        (folder / "KPOINTS").write_text(files.kpoints(self.kpoints.divisions(atoms.cell.array)))
        (folder / "POSCAR").write_text(files.poscar(atoms))
        (folder / "POTCAR").write_text(files.potcar(atoms, self._potentials(), self.setups))
        return []

    def read(self, atoms: Atoms, way: Mapping[str, object], folder: Path, output: str) -> Reading:
        reading = parse_run(folder, output, files.order(atoms), int(way["NELM"]))
        if reading.version != self.version:
            raise ValueError(
                f"`oracle.version` is {self.version}, but the program that ran is VASP {reading.version}: say which one is meant"
            )
        return reading

    def _potentials(self) -> Path:
        folder = Path(os.environ.get("VASP_PP_PATH", ".")) / self.potentials
        if not folder.is_dir():
            raise Missing(f"there is no folder of POTCARs {folder}; name it in `oracle.potentials`, or the one above it in VASP_PP_PATH")
        return folder
