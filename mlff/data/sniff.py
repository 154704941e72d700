"""Which format a file or folder has: by its name, then by its first lines."""

from __future__ import annotations

import re
from pathlib import Path

from mlff.data.readers.extxyz import open_text

FORMATS = ("ase_db", "ase_traj", "cp2k", "deepmd", "extxyz", "ml_ab", "outcar", "store", "vasprun")


CP2K_TRAJECTORY = r".*-pos-\d+\.xyz"
CP2K_COMPANION = r".*-(frc|vel)-\d+\.xyz|.*-\d+\.cell"  # forces, velocities and cell: read with the positions


def sniff(path: Path, *, strict: bool = True) -> str | None:
    """Name of the reader for `path`; "folder" for a folder of files.

    Raises:
        ValueError: nothing recognised (strict only; otherwise None).
    """
    if path.is_dir():
        if (path / "store.json").is_file():
            return "store"
        return "deepmd" if (path / "type.raw").is_file() else "folder"
    name = _plain_name(path)
    by_name = (
        (r".*\.db$", "ase_db"),
        (r".*\.traj$", "ase_traj"),
        (CP2K_TRAJECTORY, "cp2k"),
        (CP2K_COMPANION, None),
        (r".*\.(ext)?xyz$", "extxyz"),
        (r".*outcar.*", "outcar"),
        (r".*vasprun.*\.xml$", "vasprun"),
        (r".*ml_abn?([._-].*)?$", "ml_ab"),
    )
    for pattern, format in by_name:
        if re.fullmatch(pattern, name):
            return format
    try:
        with open_text(path) as file:
            start = file.read(20_000)
    except (OSError, EOFError):
        start = ""
    if "<modeling>" in start:
        return "vasprun"
    if re.match(r"\s*vasp\.\d", start):
        return "outcar"
    if re.match(r"\s*1\.0 Version", start):
        return "ml_ab"
    if " CP2K|" in start:
        return "cp2k"
    if re.match(r"\s*\d+\s*\n.*(Lattice|Properties)=", start):
        return "extxyz"
    if strict:
        raise ValueError(
            f"{path}: format not recognised by name or content; choose one of {', '.join(FORMATS)} with format=, "
            "or convert it to extended XYZ"
        )
    return None


def is_cp2k_trajectory(path: Path) -> bool:
    """Whether `path` holds the positions of a CP2K run, beside which its other files are looked for."""
    return re.fullmatch(CP2K_TRAJECTORY, _plain_name(path)) is not None


def is_companion(path: Path) -> bool:
    """Whether `path` is read together with another file, not by itself."""
    return re.fullmatch(CP2K_COMPANION, _plain_name(path)) is not None


def _plain_name(path: Path) -> str:
    return path.name.lower().removesuffix(".xz").removesuffix(".gz")
