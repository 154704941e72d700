"""Which format a file has: by its name, then by its first bytes."""

import re
from importlib import import_module
from pathlib import Path

from mlff.trajectory.sources.source import Source

BY_NAME = (  # of a file without .gz, in lower case
    (r".*xdatcar.*", "xdatcar"),
    (r".*vasprun.*\.xml", "vasprun"),
    (r".*-pos-\d+\.xyz", "cp2k"),
    (r".*\.(ext)?xyz", "extxyz"),
    (r"dump\..*|.*\.(dump|lammpstrj|lammpsdump)", "lammps_dump"),
    (r".*\.xtc", "xtc"),
    (r".*\.dcd", "dcd"),
)
SOURCES = (*dict.fromkeys(name for _, name in BY_NAME), "ase_formats")
COMPANION = r".*-(frc|vel)-\d+\.xyz|.*-\d+\.cell"  # of CP2K, read with the positions


def source_of(path: Path, format: str | None) -> tuple[str, Source]:
    """The name of a file's format and how it is read.

    Raises:
        ValueError: there is no such file or format.
    """
    if not path.is_file():
        raise ValueError(f"{path}: found {'a folder' if path.is_dir() else 'nothing'}, expected the file of a trajectory; correct the path")
    name = format or told_source(path)
    if name not in SOURCES:
        raise ValueError(f"found format {name!r}, expected one of {list(SOURCES)}; name one of these")
    return name, import_module(f"mlff.trajectory.sources.{name}").SOURCE


def told_source(path: Path) -> str:
    """The name of the format of a file, by its name, then by its first bytes, else ase_formats.

    Raises:
        ValueError: it is read with another one.
    """
    name = path.name.lower().removesuffix(".gz")
    if re.fullmatch(COMPANION, name):
        raise ValueError(f"{path}: found a file that is read with another one, expected CP2K's positions; give the project-pos-1.xyz")
    for pattern, format in BY_NAME:
        if re.fullmatch(pattern, name):
            return format
    with open(path, "rb") as file:
        start = file.read(1000)
    if start.startswith((b"ITEM: TIMESTEP", b"ITEM: UNITS", b"ITEM: TIME")):
        return "lammps_dump"
    return "vasprun" if b"<modeling>" in start else "ase_formats"
