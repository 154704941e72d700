"""CP2K's settings, and its run."""

import functools
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ase import Atoms

from mlff.oracle.cp2k.input import ALGORITHMS, MIXINGS, render_input
from mlff.oracle.cp2k.output import parse_output, parse_version
from mlff.oracle.kpoints import KPoints
from mlff.oracle.ladder import ladder
from mlff.oracle.program import Program
from mlff.oracle.program_oracle import ProgramOracle, Reading

SEARCH = {"algorithm": "diagonalization", "mixing": "broyden", "alpha": 0.4, "history": 8, "max_scf": 60}
RETRIES = (
    {"alpha": 0.1, "max_scf": 200},
    {"mixing": "pulay", "alpha": 0.1, "max_scf": 200},
    {"algorithm": "ot", "max_scf": 200},
)


class CP2K(ProgramOracle):
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
        search: the first way to the density: algorithm (diagonalization, or ot: orbital transformation, for an insulator with Γ alone),
            mixing (broyden, pulay, kerker), alpha (share of the new density), history (densities remembered), max_scf (iterations).
        retries: tried in turn when unconverged, each a change of `search`; ot is passed over where there are k-points.
        command: the program with its launcher, one list entry per word; never a shell string.
        threads: OpenMP threads per rank.
        timeout: s for one attempt.
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
        search: Mapping[str, object] | None = None,
        retries: Sequence[Mapping[str, object]] = RETRIES,
        command: Sequence[str] = ("cp2k.psmp",),
        threads: int = 1,
        timeout: float = 7200.0,
    ):
        self.kpoints = KPoints.of(kpoints, kpoint_spacing)
        self.settings = {
            "code": "CP2K",
            "kpoints": self.kpoints.setting,
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
        self.ways = ladder(SEARCH | dict(search or {}), retries, SEARCH)
        for way in self.ways:
            if way["algorithm"] not in ALGORITHMS or way["mixing"] not in MIXINGS:
                raise ValueError(
                    f"CP2K is to search by algorithm {way['algorithm']!r} and mixing {way['mixing']!r}, "
                    f"expected one of {list(ALGORITHMS)} and one of {list(MIXINGS)}"
                )
        self.program = Program("CP2K", command, threads, timeout, remedy="install CP2K (Debian: `apt install cp2k`)")

    @functools.cached_property
    def version(self) -> str:
        """The program's own, asked once, without its launcher."""
        with tempfile.TemporaryDirectory(prefix="CP2K-") as folder:
            text = self.program.alone().run(Path(folder), "--version").output
        return parse_version(text, where=f"what `{self.program.command[-1]} --version` said")

    def ways_for(self, atoms: Atoms) -> list[Mapping[str, object]]:
        """All of them at Γ alone; orbital transformation knows no k-points."""
        if max(self.kpoints.divisions(atoms.cell.array)) == 1:
            return self.ways
        ways = [way for way in self.ways if way["algorithm"] != "ot"]
        if not ways:
            raise ValueError(
                "`oracle.search.algorithm` is ot, which knows no k-points: set oracle.kpoints=[1,1,1], or search by diagonalization"
            )
        return ways

    def write(self, atoms: Atoms, way: Mapping[str, object], folder: Path) -> list[str]:
        kpoints = self.kpoints.divisions(atoms.cell.array)
        (folder / "frame.inp").write_text(render_input(atoms, self.settings, kpoints, way))
        return ["-i", "frame.inp"]

    def read(self, atoms: Atoms, way: Mapping[str, object], folder: Path, output: str) -> Reading:
        return parse_output(output, n_atoms=len(atoms), where="CP2K's output")
