"""Where a model lies: a folder as given, or one that the package bundles."""

import os
from pathlib import Path

from mlff.bundled import bundled_folder, bundled_name


def locate_model(path: str | os.PathLike) -> Path:
    """The folder of an artefact; "bundled:li3ps4" is the model that ships with the package."""
    name = bundled_name(path)
    if name is None:
        return Path(path).expanduser()
    folder = bundled_folder("artefact") / name
    if not folder.is_dir():
        have = sorted(p.name for p in folder.parent.glob("*") if p.is_dir())
        raise FileNotFoundError(f"the package bundles no model {folder.name!r}; it has {', '.join(have) or 'none'}")
    return folder
