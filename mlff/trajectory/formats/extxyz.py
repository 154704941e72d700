"""Extended XYZ: every frame as ASE writes it, with step, time and the numbers stored at the same step; 8 decimals of Å."""

from collections.abc import Iterator
from pathlib import Path

from ase.io.extxyz import write_extxyz

from mlff.trajectory.frames import Frames
from mlff.trajectory.reader import Trajectory


def write(path: Path, trajectory: Trajectory, chunks: Iterator[Frames], wrap: bool) -> None:
    with open(path, "w") as file:
        for frames in chunks:
            for k in range(len(frames)):
                atoms = trajectory.atoms_of(frames, k)
                if wrap:
                    atoms.wrap(eps=0)
                write_extxyz(file, [atoms])
