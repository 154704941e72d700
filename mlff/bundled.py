"""Names of what ships with the package: "bundled:li3ps4" in place of a path."""

import os
from pathlib import Path

import mlff

PREFIX = "bundled:"


def bundled_name(path: str | os.PathLike) -> str | None:
    """What comes after "bundled:", or None for a path of the user's own."""
    text = str(path)
    return text.removeprefix(PREFIX) if text.startswith(PREFIX) else None


def bundled_folder(package: str) -> Path:
    """The folder of bundled files of a package of mlff, "data" or "artefact"."""
    return Path(mlff.__file__).parent / package / "bundled"
