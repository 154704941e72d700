"""GROMACS' XTC: nm, ps, positions rounded to 0.01 Å, which is the format's habit; cells turned as GROMACS wants them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mlff.trajectory.formats.restricted import restricted
from mlff.trajectory.formats.wrapping import wrapped
from mlff.trajectory.frames import Frames
from mlff.trajectory.reader import Trajectory
from mlff.units import NM, PS


def write(path: Path, trajectory: Trajectory, chunks: Iterator[Frames], wrap: bool) -> None:
    """Raises:
    ImportError: mdtraj is not installed.
    ValueError: a step is larger than the format's 32 bits hold.
    """
    try:
        from mdtraj.formats import XTCTrajectoryFile
    except ImportError:
        raise ImportError("mdtraj, which writes XTC, is not installed; pip install 'mlff[trajectory]', or convert to extxyz") from None
    if trajectory.n_frames and trajectory.steps[-1] > np.iinfo(np.int32).max:
        raise ValueError(f"the last step is {trajectory.steps[-1]}, but XTC holds steps below 2^31; convert to extxyz or a LAMMPS dump")
    timestep = float(trajectory.about["timestep"])
    with XTCTrajectoryFile(str(path), "w", force_overwrite=True) as file:
        for frames in chunks:
            cells, positions = restricted(frames, trajectory.pbc, "XTC")
            if wrap:
                positions = wrapped(positions, cells, trajectory.pbc)[0]
            file.write(
                np.asarray(positions / NM, np.float32),
                time=np.asarray(frames.steps * timestep / PS, np.float32),
                step=frames.steps.astype(np.int32),
                box=np.asarray(cells / NM, np.float32),
            )
