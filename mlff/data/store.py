"""FrameStore: frames on disk in flat columns, read one at a time through memory maps.

A folder: store.json (version), frames.bin (one fixed-length record per frame), atoms.bin (number, position and force of every
atom), info.bin (the rest of each frame as JSON). Only frames.bin says what exists, and a frame's record is written after its
data have reached the disk: what a killed writer leaves is a shorter, readable store. Nothing is pickled.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from mlff.data.frame import ENERGY_KINDS, Frame

VERSION = 1
ATOM = np.dtype([("number", "<i2"), ("position", "<f8", 3), ("force", "<f8", 3)])
RECORD = np.dtype(
    [
        ("first_atom", "<i8"),
        ("n_atoms", "<i4"),
        ("first_byte", "<i8"),
        ("n_bytes", "<i4"),
        ("cell", "<f8", (3, 3)),
        ("pbc", "?", 3),
        ("energy", "<f8"),
        ("stress", "<f8", (3, 3)),
        ("has_energy", "?"),
        ("has_forces", "?"),
        ("has_stress", "?"),
        ("energy_kind", "<i1"),
        ("index", "<i8"),
    ]
)
FLUSH_EVERY = 256  # frames between two waits for the disk


class FrameStore(Sequence):
    """The frames of a store as a read-only sequence; `store[i]` reads that frame alone, a slice gives a list.

    Raises:
        ValueError: the folder is no store, or one of another version.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._open()

    def _open(self) -> None:
        header = self.path / "store.json"
        if not header.is_file():
            raise ValueError(f"{self.path}: no store.json found, expected a frame store; make one with write_store(path, frames)")
        version = json.loads(header.read_text())["version"]
        if version != VERSION:
            raise ValueError(f"{self.path}: store version {version}, expected {VERSION}; write the store again from its sources")
        self._records = _map(self.path / "frames.bin", RECORD)
        self._atoms = _map(self.path / "atoms.bin", ATOM)
        self._info = _map(self.path / "info.bin", np.dtype("u1"))
        # a machine that lost power may hold records whose data never arrived
        whole = (self._records["first_atom"] + self._records["n_atoms"] <= len(self._atoms)) & (
            self._records["first_byte"] + self._records["n_bytes"] <= len(self._info)
        )
        self._n = int(np.argmin(whole)) if not whole.all() else len(self._records)

    def __getstate__(self) -> dict:
        return {"path": self.path}  # a data loader's workers map the files themselves

    def __setstate__(self, state: dict) -> None:
        self.path = state["path"]
        self._open()

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self._n))]
        i = int(index)
        if not -self._n <= i < self._n:
            raise IndexError(f"{self.path}: frame {i} was asked for, but the store holds {self._n}")
        record = self._records[i % self._n]
        atoms = self._atoms[record["first_atom"] : record["first_atom"] + record["n_atoms"]]
        rest = json.loads(self._info[record["first_byte"] : record["first_byte"] + record["n_bytes"]].tobytes())
        return Frame(
            numbers=atoms["number"],
            positions=np.array(atoms["position"]),
            cell=np.array(record["cell"]),
            pbc=record["pbc"],
            energy=float(record["energy"]) if record["has_energy"] else None,
            forces=np.array(atoms["force"]) if record["has_forces"] else None,
            stress=np.array(record["stress"]) if record["has_stress"] else None,
            energy_kind=ENERGY_KINDS[record["energy_kind"]],
            source=rest["source"],
            index=int(record["index"]),
            info=rest["info"],
        )

    def __iter__(self) -> Iterator[Frame]:
        return (self[i] for i in range(self._n))


def write_store(path: str | Path, frames: Iterable[Frame]) -> FrameStore:
    """Append `frames` (any iterable, one in memory at a time) to the store at `path`, made if missing.

    Raises:
        ValueError: `path` exists and is no store.
    """
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / "store.json").is_file())):
        raise ValueError(f"{folder}: exists and is no frame store; name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    header = folder / "store.json"
    if header.is_file():
        last = FrameStore(folder)
        n = len(last)
        ends = last._records[n - 1] if n else None
        sizes = (
            int(ends["first_atom"] + ends["n_atoms"]) if n else 0,
            int(ends["first_byte"] + ends["n_bytes"]) if n else 0,
            n,
        )
        del last
    else:
        sizes = (0, 0, 0)
        temporary = folder / "store.json.tmp"
        temporary.write_text(json.dumps({"format": "mlff frame store", "version": VERSION}))
        temporary.rename(header)
    n_atoms, n_bytes, n_frames = sizes
    with (
        _end_at(folder / "atoms.bin", n_atoms * ATOM.itemsize) as atoms_file,
        _end_at(folder / "info.bin", n_bytes) as info_file,
        _end_at(folder / "frames.bin", n_frames * RECORD.itemsize) as frames_file,
    ):
        waiting: list[bytes] = []

        def flush() -> None:
            for file in (atoms_file, info_file):
                file.flush()
                os.fsync(file.fileno())
            frames_file.write(b"".join(waiting))
            frames_file.flush()
            waiting.clear()

        for frame in frames:
            atoms = np.zeros(len(frame), ATOM)
            atoms["number"], atoms["position"] = frame.numbers, frame.positions
            if frame.forces is not None:
                atoms["force"] = frame.forces
            rest = json.dumps({"source": frame.source, "info": dict(frame.info)}).encode()
            record = np.zeros((), RECORD)
            record["first_atom"], record["n_atoms"], record["first_byte"], record["n_bytes"] = n_atoms, len(frame), n_bytes, len(rest)
            record["cell"], record["pbc"], record["index"] = frame.cell, frame.pbc, frame.index
            record["energy_kind"] = ENERGY_KINDS.index(frame.energy_kind)
            for name, value in (("energy", frame.energy), ("stress", frame.stress)):
                if value is not None:
                    record[name], record[f"has_{name}"] = value, True
            record["has_forces"] = frame.forces is not None
            atoms_file.write(atoms.tobytes())
            info_file.write(rest)
            waiting.append(record.tobytes())
            n_atoms, n_bytes = n_atoms + len(frame), n_bytes + len(rest)
            if len(waiting) == FLUSH_EVERY:
                flush()
        flush()
    return FrameStore(folder)


def _end_at(file: Path, n_bytes: int):
    """The file open for appending, cut to what complete frames use."""
    opened = open(file, "ab")  # noqa: SIM115 - the caller's with closes it
    opened.truncate(n_bytes)
    return opened


def _map(file: Path, dtype: np.dtype) -> np.ndarray:
    """The whole items of a file as a read-only memory map."""
    n = file.stat().st_size // dtype.itemsize if file.is_file() else 0
    return np.memmap(file, dtype=dtype, mode="r", shape=(n,)) if n else np.zeros(0, dtype)
