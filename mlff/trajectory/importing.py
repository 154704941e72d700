"""Trajectories of other programs, converted once to the own store."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ase import Atoms

from mlff.cache_folder import cache_folder, one_at_a_time
from mlff.trajectory.joining import Joining
from mlff.trajectory.reader import Trajectory
from mlff.trajectory.sources.source import Options, Source, SourceFrame, TruncatedFile
from mlff.trajectory.sources.told import source_of

KEPT_AS = 1  # a new number where the same files would be stored in another way


def open_trajectory(
    paths: str | Path | Sequence[str | Path],
    *,
    format: str | None = None,
    timestep: float | None = None,
    structure: str | Path | Atoms | None = None,
    species: Sequence[str] | None = None,
    stride: int = 1,
    allow_truncated: bool = False,
    progress: Callable[[int], object] | None = None,
) -> Trajectory:
    """A trajectory of any format; one of another program is imported the first time, and found in the cache after that.

    Args: see `import_trajectory`; a folder of the own format takes none.
    Raises:
        ValueError: see `import_trajectory`.
    """
    paths = _listed(paths)
    arguments = {
        "format": format,
        "timestep": timestep,
        "structure": structure,
        "species": species,
        "stride": stride,
        "allow_truncated": allow_truncated,
    }
    if any(path.is_dir() for path in paths):
        given = [name for name, value in arguments.items() if value != (1 if name == "stride" else False) and value is not None]
        if len(paths) > 1 or given:
            found = f"{len(paths)} paths" if len(paths) > 1 else ", ".join(given)
            raise ValueError(f"{paths[0]}: found a folder and {found}, expected the folder of one trajectory alone; leave the others out")
        return Trajectory(paths[0])
    kept = cache_folder() / "trajectories" / _hash(paths, arguments)
    with one_at_a_time(kept):
        if not kept.is_dir():
            for unfinished in kept.parent.glob(f".{kept.name}.*"):  # what a kill left
                shutil.rmtree(unfinished, ignore_errors=True)
            return import_trajectory(paths, kept, **arguments, progress=progress)
    return Trajectory(kept)


def import_trajectory(
    paths: str | Path | Sequence[str | Path],
    store: str | Path,
    *,
    format: str | None = None,
    timestep: float | None = None,
    structure: str | Path | Atoms | None = None,
    species: Sequence[str] | None = None,
    stride: int = 1,
    allow_truncated: bool = False,
    progress: Callable[[int], object] | None = None,
) -> Trajectory:
    """Read files that continue each other and write the own store, which appears when it is whole.

    Positions are unwrapped and checked from frame to frame, also those that a stride leaves out.

    Args:
        paths: one file, or several in order.
        store: the folder to make.
        format: a file of mlff/trajectory/sources; by default told by the name or the first lines of each file.
            "ase_formats" is whatever ASE reads.
        timestep: fs from step to step of the file; from frame to frame in a format that counts no steps. Needed where the file has no
            times.
        structure: atoms, or a file that ASE reads, for what the format lacks: species (XTC, DCD) or the cell (CP2K, plain XYZ).
        species: symbols of the types 1, 2, … of a LAMMPS dump; else its column `element` tells.
        stride: every how manieth frame is stored.
        allow_truncated: take the whole frames of a file that ends inside one.
        progress: called with the number of frames that were read since the last call.
    Returns:
        The trajectory; its `about` has the timestep (fs), the source (paths), the format, `unwrapped` (whether images were found from
        frame to frame here, or were the file's) and the number of `ambiguous_frames`, in which an image was a guess.
    Raises:
        ValueError: a file is not what its format says, is cut short, or does not continue the one before. Nothing is stored then.
        ImportError: the format's library is not installed.
    """
    paths, store = _listed(paths), Path(store)
    if store.exists() and (not store.is_dir() or any(store.iterdir())):
        raise ValueError(f"{store}: found something there already, expected a new folder; name another")
    if stride < 1 or (timestep is not None and not 0 < timestep < float("inf")):
        raise ValueError(f"found stride {stride} and timestep {timestep}, expected at least 1 and a positive number of fs; correct them")
    formats, sources = zip(*(source_of(path, format) for path in paths), strict=True)
    options = Options(_structure(structure), species, timestep)
    for name in ("structure", "species"):
        if getattr(options, name) is not None and not any(name in source.uses for source in sources):
            raise ValueError(f"{paths[0]}: found {name}=…, which {formats[0]} has no use for, as its files say it; leave it out")
    store.parent.mkdir(parents=True, exist_ok=True)
    partial = store.with_name(f".{store.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    about = {
        "source": [str(path.resolve()) for path in paths],
        "format": formats[0] if len(set(formats)) == 1 else list(formats),
        "stride": stride,
    }
    try:
        with Joining(partial, about, stride, timestep, progress) as writing:
            for path, source in zip(paths, sources, strict=True):
                writing.file(path, source.precision, _frames(path, source, options, allow_truncated))
            writing.end(str(paths[-1]))
        partial.rename(store)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Trajectory(store)


def _frames(path: Path, source: Source, options: Options, allow_truncated: bool) -> Iterator[SourceFrame]:
    try:
        yield from source.read(path, options)
    except TruncatedFile:
        if not allow_truncated:
            raise


def _structure(structure: str | Path | Atoms | None) -> Atoms | None:
    if structure is None or isinstance(structure, Atoms):
        return structure
    from ase.io import read

    try:
        return read(structure)
    except Exception as error:  # ASE raises many kinds
        raise ValueError(
            f"{structure}: found no structure ({error}), expected a file that ASE reads, such as a POSCAR; give one"
        ) from error


def _listed(paths: str | Path | Sequence[str | Path]) -> list[Path]:
    listed = [Path(paths)] if isinstance(paths, (str, Path)) else [Path(path) for path in paths]
    if not listed:
        raise ValueError("found no path, expected the file of a trajectory; give at least one")
    return listed


def _hash(paths: Sequence[Path], arguments: Mapping) -> str:
    """Another one when a file or an argument is another."""
    files, given = [], dict(arguments)
    for path in paths:
        files += [path, *source_of(path, arguments["format"])[1].companions(path)]
    if isinstance(given["structure"], Atoms):
        atoms = given["structure"]
        given["structure"] = [atoms.numbers.tolist(), atoms.positions.tolist(), atoms.cell.array.tolist(), atoms.pbc.tolist()]
    elif given["structure"] is not None:
        files.append(Path(given["structure"]))
        given["structure"] = str(given["structure"])
    given["species"] = None if given["species"] is None else list(given["species"])
    states = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashlib.sha256(json.dumps([KEPT_AS, states, given]).encode()).hexdigest()[:24]
