"""A trajectory in a format of other programs, a chunk at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from mlff.trajectory.frames import Frames
from mlff.trajectory.reader import Trajectory

FORMATS = {  # by name: the endings of a file that tell it
    "extxyz": (".extxyz", ".xyz"),
    "lammps_dump": (".dump", ".lammpstrj"),
    "xdatcar": ("xdatcar",),
    "xtc": (".xtc",),
}


def convert(
    trajectory: Trajectory,
    path: str | Path,
    format: str | None = None,
    stride: int = 1,
    wrap: bool = False,
    written: Callable[[int], object] | None = None,
) -> None:
    """Write every stride-th frame to one file, which appears when it is whole.

    Args:
        format: extxyz, lammps_dump, xdatcar or xtc; by default told by the name of the file.
        wrap: whether positions are moved into the cell; a LAMMPS dump then has image flags.
        written: called with the number of frames that were written since the last call.
    Raises:
        ValueError: no frame, an unknown format, or cells that the format has no words for.
        ImportError: the format's library is not installed.
    """
    path = Path(path)
    name = told_format(path) if format is None else format
    if name not in FORMATS:
        raise ValueError(f"found format {name!r}, expected one of {list(FORMATS)}; name one of these")
    if trajectory.n_frames == 0:
        raise ValueError(f"{trajectory.path}: found no frame, expected at least one; let the run go on first")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.partial")
    try:
        import_module(f"mlff.trajectory.formats.{name}").write(
            unfinished, trajectory, _told(trajectory.chunks(stride=stride), written), wrap
        )
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def told_format(path: Path) -> str:
    """Raises:
    ValueError: the name of the file tells none.
    """
    for name, endings in FORMATS.items():
        if path.name.lower().endswith(endings) or (name == "xdatcar" and path.name.lower().startswith(endings)):
            return name
    known = ", ".join(f"{name} ({' '.join(endings)})" for name, endings in FORMATS.items())
    raise ValueError(f"found a file named {path.name!r}, expected a name that tells its format: {known}; rename it, or say format=…")


def _told(chunks: Iterator[Frames], written: Callable[[int], object] | None) -> Iterator[Frames]:
    for frames in chunks:
        yield frames
        if written is not None:
            written(len(frames))
