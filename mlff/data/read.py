"""Any supported file or folder → Frames: the format by name or by sniffing, then one reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path

from mlff.data.folder import find_sources
from mlff.data.frame import ENERGY_KINDS, Frame
from mlff.data.settings import refuse_mixed_settings
from mlff.data.sniff import FORMATS, sniff

# format → (module in mlff.data.readers, function); imported when used, so that `--help` stays fast
READERS = {
    "ase_db": ("ase_formats", "read_ase_db"),
    "ase_traj": ("ase_formats", "read_ase_traj"),
    "cp2k": ("cp2k", "read_cp2k"),
    "deepmd": ("deepmd", "read_deepmd"),
    "extxyz": ("extxyz", "read_extxyz"),
    "ml_ab": ("ml_ab", "read_ml_ab"),
    "outcar": ("vasp", "read_outcar"),
    "store": ("frame_store", "read_store"),
    "vasprun": ("vasp", "read_vasprun"),
}
assert sorted(READERS) == sorted(FORMATS)


def read_frames(
    path: str | Path | Sequence[str | Path],
    *,
    format: str | None = None,
    energy_kind: str | None = None,
    allow_mixed_settings: bool = False,
) -> list[Frame]:
    """All frames of a file, a folder, or several of them in the order given.

    Args:
        path: file or folder (a deepmd system, a frame store, or a folder that holds files, systems, stores and further folders).
        format: one of mlff.data.sniff.FORMATS; None: decided by name and content.
        energy_kind: "free" or "sigma0": which energy to take where the file gives both, and what to call a single one.
            None: the free energy where it is given, because the forces are its derivative.
        allow_mixed_settings: accept frames of different functionals or DFT settings in one set.

    Raises:
        FileNotFoundError: nothing at `path`.
        ValueError: unknown format, a broken frame, mixed settings, or no frame at all.
    """
    return list(iter_frames(path, format=format, energy_kind=energy_kind, allow_mixed_settings=allow_mixed_settings))


def iter_frames(
    path: str | Path | Sequence[str | Path],
    *,
    format: str | None = None,
    energy_kind: str | None = None,
    allow_mixed_settings: bool = False,
) -> Iterator[Frame]:
    """Like `read_frames`, one frame at a time, so that memory stays bounded."""
    if energy_kind is not None and energy_kind not in ENERGY_KINDS[:2]:
        raise ValueError(f"energy_kind {energy_kind!r} is unknown; choose 'free' or 'sigma0', or leave it out")
    if format is not None and format not in READERS:
        raise ValueError(f"format {format!r} is unknown; choose one of {', '.join(FORMATS)}, or leave it out to have it recognised")
    paths = [path] if isinstance(path, (str, Path)) else list(path)
    if not paths:
        raise ValueError("no path given; name at least one file or folder of frames")
    frames = (frame for one in paths for frame in _read_one(Path(one), format, energy_kind, allow_mixed_settings))
    return refuse_mixed_settings(frames, allow_mixed_settings)


def _read_one(path: Path, format: str | None, energy_kind: str | None, allow_mixed_settings: bool) -> Iterator[Frame]:
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder; check `path` (the working directory is {Path.cwd()})")
    name = format or sniff(path)
    empty = True
    for source, kind in find_sources(path) if name == "folder" else [(path, name)]:
        options = {"allow_mixed_settings": allow_mixed_settings} if kind == "ml_ab" else {}
        for frame in _reader(kind)(source, energy_kind=energy_kind, **options):
            empty = False
            yield frame
    if empty:
        raise ValueError(f"{path}: holds no frame of a known format; give a file with at least one structure ({', '.join(FORMATS)})")


def _reader(name: str) -> Callable[..., Iterator[Frame]]:
    module, function = READERS[name]
    return getattr(import_module(f"mlff.data.readers.{module}"), function)
