"""Which format a file or folder has: by its name, then by its first lines."""

from __future__ import annotations

from pathlib import Path


def sniff(path: Path, *, strict: bool = True) -> str | None:
    """Name of the reader for `path`; "folder" for a folder of files.

    Raises:
        ValueError: nothing recognised (strict only; otherwise None).
    """
    name = path.name.removesuffix(".xz").removesuffix(".gz").lower()
    if path.is_dir():
        if next(path.rglob("type.raw"), None) is not None:
            return "deepmd"
        return "folder"
    if name.endswith((".xyz", ".extxyz")):
        return "extxyz"
    if strict:
        raise ValueError(f"{path}: format not recognised; name it with format=")
    return None
