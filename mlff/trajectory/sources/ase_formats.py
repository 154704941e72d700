"""Whatever ASE reads, a frame at a time where ASE does."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase.data import atomic_masses

from mlff.trajectory.sources.source import Options, Source, SourceFrame, TruncatedFile
from mlff.units import AMU


def read(path: Path, options: Options) -> Iterator[SourceFrame]:
    """Steps and times (fs) are those of `info`; most formats have none. A time is taken where no timestep is given."""
    from ase.io import iread
    from ase.io.formats import UnknownFileTypeError

    n = 0
    try:
        for atoms in iread(path, ":"):
            own = (atoms.get_masses() != atomic_masses[atoms.numbers]).any()
            step, time = atoms.info.get("step"), atoms.info.get("time") if options.timestep is None else None
            yield SourceFrame(
                atoms.positions,
                atoms.cell.array,
                atoms.numbers,
                atoms.pbc,
                step=None if step is None else int(step),
                time=None if time is None else float(time),
                # ASE's unit of time is √(amu Å²/eV), which is √AMU fs
                velocities=atoms.get_velocities() / np.sqrt(AMU) if atoms.has("momenta") else None,
                masses=atoms.get_masses() if own else None,
            )
            n += 1
    except UnknownFileTypeError:
        raise ValueError(f"{path}: found a format that nothing here reads, expected a trajectory; name its format, or convert it") from None
    except (EOFError, OSError, KeyError, IndexError, ValueError) as error:  # what ASE raises where a file is damaged
        if isinstance(error, FileNotFoundError):
            raise
        raise TruncatedFile(path, n, f"ASE stops with {type(error).__name__}: {error}") from None


SOURCE = Source(read)
