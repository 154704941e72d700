"""DCD by mdtraj: Å, the cell as lengths and angles; it has no step and no time that mdtraj tells, and no species."""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase.geometry import cellpar_to_cell

from mlff.trajectory.sources.binary import checked_numbers
from mlff.trajectory.sources.source import Options, Source, SourceFrame, TruncatedFile

AT_ONCE = 50  # frames


def read(path: Path, options: Options) -> Iterator[SourceFrame]:
    """Frames are counted from 0; the first cell vector lies along x, and the second in the xy plane.

    Raises:
        ImportError: mdtraj is not installed.
    """
    try:
        from mdtraj.formats import DCDTrajectoryFile
    except ImportError:
        raise ImportError("mdtraj, which reads DCD, is not installed; pip install 'mlff[trajectory]', or give an extxyz") from None
    numbers, done = None, 0
    try:
        with DCDTrajectoryFile(str(path)) as file:
            while len((block := file.read(n_frames=AT_ONCE))[0]):
                positions, lengths, angles = block
                positions = positions.astype(float)
                for k in range(len(positions)):
                    cell = np.zeros((3, 3)) if lengths is None or not lengths[k].all() else cellpar_to_cell([*lengths[k], *angles[k]])
                    if numbers is None:
                        numbers, pbc = checked_numbers(path, options, positions.shape[1], cell), np.full(3, cell.any())
                    yield SourceFrame(positions[k], cell, numbers, pbc)
                    done += 1
    except OSError as error:
        raise TruncatedFile(path, done, str(error)) from None
    with open(path, "rb") as file:
        head = file.read(12)
    n_frames = struct.unpack("<i" if head[:1] == b"T" else ">i", head[8:12])[0]  # the first record is 84 = "T" bytes long
    if done < n_frames:
        raise TruncatedFile(path, done, f"its first lines tell of {n_frames}")


SOURCE = Source(read, uses=frozenset({"structure"}))
