"""A trajectory in a format of other programs, with a progress bar."""

from pathlib import Path

from tqdm import tqdm

from mlff.trajectory import Trajectory, convert


def convert_trajectory(
    trajectory: str | Path, output: str | Path, format: str | None = None, stride: int = 1, wrap: bool = False, progress: bool = True
) -> None:
    """Write every stride-th frame of the trajectory in the folder `trajectory` to the file `output`; see `mlff.trajectory.convert`.

    Raises:
        ValueError: the folder is no trajectory, or the format does not take it.
        ImportError: the format's library is not installed.
    """
    source = Trajectory(trajectory)
    total = len(range(0, source.n_frames, max(1, stride)))
    with tqdm(total=total, desc="convert", unit="frame", disable=not progress) as bar:
        convert(source, output, format=format, stride=stride, wrap=wrap, written=bar.update)
    print(f"{total:,} frames of {source.n_atoms:,} atoms: {Path(output).resolve()}")
