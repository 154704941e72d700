"""Which format a file or folder has: by its name, then by its first lines."""

from __future__ import annotations

import re
from pathlib import Path

from mlff.data.readers.extxyz import open_text

FORMATS = ("ase_db", "ase_traj", "cp2k", "deepmd", "extxyz", "ml_ab", "outcar", "store", "vasprun")


def sniff(path: Path, *, strict: bool = True) -> str | None:
    """Name of the reader for `path`; "folder" for a folder of files.

    Raises:
        ValueError: nothing recognised (strict only; otherwise None).
    """
    if path.is_dir():
        if (path / "store.json").is_file():
            return "store"
        return "deepmd" if next(path.rglob("type.raw"), None) is not None else "folder"
    name = path.name.lower().removesuffix(".xz").removesuffix(".gz")
    by_name = (
        (r".*\.db$", "ase_db"),
        (r".*\.traj$", "ase_traj"),
        (r".*-pos-\d+\.xyz$", "cp2k"),
        (r".*-(frc|vel)-\d+\.xyz$", None),  # CP2K's forces and velocities: read with the positions
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
