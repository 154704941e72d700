"""Trajectories on disk: chunked, compressed, append-safe and self-describing."""

from mlff.trajectory.convert import convert
from mlff.trajectory.frames import Frames, Series
from mlff.trajectory.importing import import_trajectory, open_trajectory
from mlff.trajectory.reader import Trajectory
from mlff.trajectory.writer import TrajectoryWriter

__all__ = ["Frames", "Series", "Trajectory", "TrajectoryWriter", "convert", "import_trajectory", "open_trajectory"]
