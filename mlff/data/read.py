"""Any supported file or folder → Frames: the format by name or by sniffing, then one reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path

from mlff.data.frame import ENERGY_KINDS, Frame
from mlff.data.sniff import sniff

# name → (module in mlff.data.readers, function); imported when used, so that `--help` stays fast
READERS = {
    "extxyz": ("extxyz", "read_extxyz"),
    "deepmd": ("deepmd", "read_deepmd"),
}


def read_frames(
    path: str | Path | Sequence[str | Path],
    *,
    format: str | None = None,
    energy_kind: str | None = None,
) -> list[Frame]:
    """All frames of a file, a folder, or several of them in the order given.

    Args:
        path: file or folder (a deepmd system, a folder of systems, or a folder of files of one kind each).
        format: one of READERS; None: decided by name and content.
        energy_kind: "free" or "sigma0": which energy to take where the file gives both, and what to call a single one.
            None: the free energy where it is given, because the forces are its derivative.

    Raises:
        FileNotFoundError: nothing at `path`.
        ValueError: unknown format, a broken frame, or no frame at all.
    """
    return list(iter_frames(path, format=format, energy_kind=energy_kind))


def iter_frames(
    path: str | Path | Sequence[str | Path],
    *,
    format: str | None = None,
    energy_kind: str | None = None,
) -> Iterator[Frame]:
    """Like `read_frames`, one frame in memory at a time."""
    if energy_kind is not None and energy_kind not in ENERGY_KINDS[:2]:
        raise ValueError(f"energy_kind {energy_kind!r} is unknown; choose 'free' or 'sigma0', or leave it out")
    if format is not None and format not in READERS:
        raise ValueError(f"format {format!r} is unknown; choose one of {', '.join(sorted(READERS))}, or leave it out to have it recognised")
    paths = [path] if isinstance(path, (str, Path)) else list(path)
    if not paths:
        raise ValueError("no path given; name at least one file or folder of frames")
    for one in map(Path, paths):
        if not one.exists():
            raise FileNotFoundError(f"{one}: no such file or folder; check `path` (the working directory is {Path.cwd()})")
        n = 0
        for n, frame in enumerate(_read_one(one, format, energy_kind), start=1):
            yield frame
        if n == 0:
            raise ValueError(f"{one}: holds no frame; give a file with at least one structure")


def _read_one(path: Path, format: str | None, energy_kind: str | None) -> Iterator[Frame]:
    name = format or sniff(path)
    if name == "folder":
        for child in sorted(path.iterdir()):
            kind = sniff(child, strict=False)
            if kind not in (None, "folder"):
                yield from _reader(kind)(child, energy_kind=energy_kind)
        return
    yield from _reader(name)(path, energy_kind=energy_kind)


def _reader(name: str) -> Callable[..., Iterator[Frame]]:
    module, function = READERS[name]
    return getattr(import_module(f"mlff.data.readers.{module}"), function)
