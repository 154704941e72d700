"""GROMACS' XTC by mdtraj: nm and ps, positions rounded to 0.01 Å; species come from a structure."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mlff.trajectory.sources.binary import checked_numbers
from mlff.trajectory.sources.source import Options, Source, SourceFrame, TruncatedFile
from mlff.units import NM, PS

AT_ONCE = 50  # frames


def read(path: Path, options: Options) -> Iterator[SourceFrame]:
    """Steps and times of the file; where all steps are the same, or all times, that writer had none.

    Raises:
        ImportError: mdtraj is not installed.
    """
    numbers = has_steps = has_times = None
    index = 0
    for positions, times, steps, boxes in _blocks(path):
        if numbers is None:
            numbers = checked_numbers(path, options, positions.shape[1], NM * boxes[0].astype(float))
            has_steps, has_times = len(steps) == 1 or (steps != steps[0]).any(), len(times) == 1 or (times != times[0]).any()
            pbc = np.full(3, boxes[0].any())
        positions, boxes = NM * positions.astype(float), NM * boxes.astype(float)
        for k in range(len(positions)):
            step = int(steps[k]) if has_steps else index
            time = float(times[k]) * PS if has_times else None
            yield SourceFrame(positions[k], boxes[k], numbers, pbc, step=step, time=time)
            index += 1


def _blocks(path: Path) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """(positions, times, steps, boxes) of some frames at a time, as the file has them."""
    try:
        from mdtraj.formats import XTCTrajectoryFile
    except ImportError:
        raise ImportError("mdtraj, which reads XTC, is not installed; pip install 'mlff[trajectory]', or give an extxyz") from None
    done = 0
    try:
        with XTCTrajectoryFile(str(path)) as file:
            while len((block := file.read(n_frames=AT_ONCE))[0]):
                yield block[:4]
                done += len(block[0])
        return
    except RuntimeError:
        pass  # a frame of this block is cut short: those before it are read one by one
    with XTCTrajectoryFile(str(path)) as file:
        if done:
            file.seek(done)
        try:
            while len((block := file.read(n_frames=1))[0]):
                yield block[:4]
                done += 1
        except RuntimeError as error:
            raise TruncatedFile(path, done, str(error)) from None


SOURCE = Source(read, precision=0.015, uses=frozenset({"structure"}))
