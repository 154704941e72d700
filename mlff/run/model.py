"""Where a model lies: a folder as given, or one that the package bundles."""

from pathlib import Path

import mlff

BUNDLED = "bundled:"


def locate_model(path: str | Path) -> Path:
    """The folder of an artefact; "bundled:li3ps4" is the model that ships with the package."""
    text = str(path)
    if not text.startswith(BUNDLED):
        return Path(text).expanduser()
    folder = Path(mlff.__file__).parent / "artefact" / "bundled" / text.removeprefix(BUNDLED)
    if not folder.is_dir():
        have = sorted(p.name for p in folder.parent.glob("*") if p.is_dir())
        raise FileNotFoundError(f"the package bundles no model {folder.name!r}; it has {', '.join(have) or 'none'}")
    return folder
