"""What the reference programs share: an input is written, the program run, its output read, and the ladder climbed."""

import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.oracle.base import Label, OracleError, Unconverged, settings_hash
from mlff.oracle.kpoints import KPoints
from mlff.oracle.ladder import climb
from mlff.oracle.program import Program


@dataclass(frozen=True)
class Reading:
    """What an output holds: eV, eV/Å (n_atoms, 3), eV/Å³ (3, 3) tension positive, and the program's version."""

    energy: float
    forces: np.ndarray
    stress: np.ndarray | None
    version: str


def refuse_copies(banners: Sequence[str], name: str) -> None:
    """Refuse an output with more than one banner.

    The mpirun of another MPI than the program was built with starts that many copies of one rank, each of which does the whole work.

    Raises:
        ValueError: a mistake of set-up, not of the frame.
    """
    if len(banners) > 1:
        raise ValueError(
            f"{len(banners)} copies of {name} ran beside each other, expected one: name in `oracle.command` the launcher of the MPI that "
            "it was built with (Debian's is mpirun.openmpi)"
        )


class ProgramOracle(ABC):
    """Label frames with a program of its own process.

    settings: every knob that changes the numbers. version: of the program, as in its labels. ways: to the density (mlff.oracle.ladder).
    """

    version: str
    program: Program
    kpoints: KPoints
    settings: Mapping[str, object]
    ways: Sequence[Mapping[str, object]]

    @abstractmethod
    def write(self, atoms: Atoms, way: Mapping[str, object], folder: Path) -> Sequence[str]:
        """Write the input for one frame; returns the program's arguments."""

    @abstractmethod
    def read(self, atoms: Atoms, way: Mapping[str, object], folder: Path, output: str) -> Reading:
        """What the run left in its folder and on standard output; raises Unconverged or OracleError."""

    def ways_for(self, atoms: Atoms) -> Sequence[Mapping[str, object]]:
        """Those of the ways that this frame can go."""
        return self.ways

    def label(self, atoms: Atoms) -> Label:
        """Energy, forces and stress of one frame.

        Raises:
            Unconverged: by no way; TimedOut, OracleError: the program gave no label.
            Missing: the program or a pseudopotential is not there. ValueError: no input can be written.
        """
        if not all(atoms.pbc):
            raise ValueError(
                f"{self.program.name} labels periodic cells here; found pbc {atoms.pbc.tolist()}, expected all True: "
                "centre the frame in a cell and set pbc"
            )
        started = time.monotonic()
        reading, retries = climb(self.ways_for(atoms), lambda way: self._attempt(atoms, way))
        return Label(
            energy=reading.energy,
            forces=reading.forces,
            stress=reading.stress,
            converged=True,
            code=self.program.name,
            version=reading.version,
            settings_hash=settings_hash(self.settings),
            wall_time=time.monotonic() - started,
            retries=retries,
        )

    def _attempt(self, atoms: Atoms, way: Mapping[str, object]) -> Reading:
        with tempfile.TemporaryDirectory(prefix=f"{type(self).__name__}-") as name:
            folder = Path(name)
            ended = self.program.run(folder, *self.write(atoms, way, folder))
            try:
                reading = self.read(atoms, way, folder, ended.output)
            except Unconverged:
                raise
            except OracleError as error:
                if ended.status == 0:
                    raise
                raise OracleError(f"{self.program.name} {ended.how}: {error}") from error
        if ended.status != 0:
            raise OracleError(f"{self.program.name} {ended.how} after its results; they are not trusted")
        numbers = [np.array(reading.energy), reading.forces, *([] if reading.stress is None else [reading.stress])]
        if not all(np.isfinite(array).all() for array in numbers):
            raise OracleError(
                f"{self.program.name} answered NaN or infinity, expected finite numbers: look at the frame's shortest distances"
            )
        return reading
