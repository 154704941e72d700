"""How a trajectory lies on disk: a zarr group of streams, a journal beside it, and the marks that name both.

    zarr.json                     attributes: format, version, about, pbc, chunk, precision
    atoms/{numbers,masses,positions,cell}
    frames/{steps,displacements,cell_changes}
    <series>/{steps,<values>…}
    journal                       which rows of these arrays are valid, and the rows that are not yet in them (mlff.trajectory.journal)

A frame's positions are `atoms/positions + precision × displacements` and its cell is `atoms/cell + cell_changes`. The displacements
are whole numbers, so that their error is half the precision however far an ion travels; a constant cell is zeros, which pack to nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

FORMAT = "mlff trajectory"
VERSION = 1
JOURNAL = "journal"
PRECISION = 2.0**-16  # Å: an error of 7.6e-6 Å; measured beside others in scripts/benchmarks/trajectory.py
LEAST_BYTES = 2**18  # of a file on disk, uncompressed: smaller ones cost more to find than to read


@dataclass(frozen=True)
class Column:
    """One array of a stream. dtype: "<i4", "<i8", "<f4" or "<f8". shape: of one row."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def row_bytes(self) -> int:
        return np.dtype(self.dtype).itemsize * prod(self.shape)


Stream = Mapping[str, Column]  # by name of the column; each has `steps`
Rows = Mapping[str, np.ndarray]  # of one stream, by name of the column, each (n, …)
STEPS = Column("<i8", ())


def frames_stream(n_atoms: int) -> Stream:
    return {"steps": STEPS, "displacements": Column("<i4", (n_atoms, 3)), "cell_changes": Column("<f8", (3, 3))}


def rows_per_write(name: str, stream: Stream, chunk: int) -> int:
    """Rows that leave the journal together; many where they are small."""
    return chunk if name == "frames" else max(chunk, LEAST_BYTES // sum(column.row_bytes for column in stream.values()))


def rows_per_file(column: Column, rows: int) -> int:
    """Rows in one file of an array whose rows come `rows` at a time: a multiple of those."""
    return rows * max(1, LEAST_BYTES // (rows * max(1, column.row_bytes)))


def make_array(path: Path, name: str, column: Column, rows: int) -> None:
    """An array without rows, in place of one that was begun and never counted."""
    import zarr  # here, because it takes a quarter of a second, and frames in memory need none
    from zarr.codecs import BloscCodec

    # lz4 with bits shuffled: of what blosc offers the fastest to read, and no larger than zstd on thermal vibrations
    packing = BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle", typesize=np.dtype(column.dtype).itemsize)
    chunks = (rows_per_file(column, rows), *column.shape)
    zarr.open_group(path, mode="r+").create_array(
        name, shape=(0, *column.shape), chunks=chunks, dtype=column.dtype, compressors=packing, overwrite=True
    )


def read_file(array, folder: Path, number: int) -> np.ndarray:
    """One file of an array that `make_array` made, (rows_per_file, …).

    As zarr reads it, without zarr's queue of tasks, which takes longer than the unpacking: 4 ns instead of 13 or more per atom and frame.

    Raises:
        ValueError: the file is missing or damaged.
    """
    from numcodecs.blosc import Blosc

    out = np.empty(array.chunks, array.dtype)
    file = folder.joinpath(array.path, "c", str(number), *["0"] * (len(array.chunks) - 1))
    try:
        packed = file.read_bytes()
        # blosc's header: its decoder reads on where a file was cut short
        if len(packed) < 16 or struct.unpack_from("<I4xI", packed, 4) != (out.nbytes, len(packed)):
            raise RuntimeError(f"{len(packed)} bytes, of another length than it says")
        Blosc().decode(packed, out)
    except (FileNotFoundError, RuntimeError) as error:
        found = "no file" if isinstance(error, FileNotFoundError) else f"a damaged file ({error})"
        raise ValueError(f"{file}: found {found}, expected a part of the trajectory; copy the whole folder of the run again") from None
    return out


def open_store(path: Path, mode: str):
    """The zarr group of a trajectory.

    Raises:
        ValueError: there is none, it is something else, or it was written by a newer version.
    """
    import zarr

    if not (path / "zarr.json").is_file():
        found = "an existing file or folder without a zarr.json" if path.exists() else "nothing"
        raise ValueError(f"{path}: found {found}, expected the folder of a trajectory; give the folder that the run wrote")
    try:
        group = zarr.open_group(path, mode=mode)
        attributes = dict(group.attrs)
    except Exception as error:  # whatever zarr says of a folder that is not its own
        raise ValueError(f"{path}: its zarr.json is no zarr group ({error}), expected a trajectory; give the folder of one") from None
    if attributes.get("format") != FORMAT:
        found = attributes.get("format", "no format")
        raise ValueError(f"{path}: found a zarr group of {found!r}, expected {FORMAT!r}; give the folder of a trajectory")
    if attributes["version"] > VERSION:
        raise ValueError(
            f"{path}: found version {attributes['version']} of the format, expected at most {VERSION}; "
            "read it with the version of mlff that wrote it, or a newer one"
        )
    return group
