"""The journal of a trajectory: which rows are valid, and the last ones themselves.

A file of records, each `n_bytes crc32 payload`, where a payload is the length of a JSON text, that text, and the bytes of the rows
that it counts. The first record says what streams there are and how many rows of each lie in the zarr arrays; each later one is
one append. A record that is cut short, or whose checksum fails, is an append that never happened; so is all that lies in the zarr
arrays beyond the count. A new journal replaces the old one by a rename, after its rows have reached the disk.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlff.trajectory.layout import Column, Rows, Stream

HEAD = struct.Struct("<QI")  # bytes of the payload, its CRC-32
LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class Contents:
    """streams: by name. stored: rows of each in its zarr arrays. tail: the rows of each that follow those."""

    streams: Mapping[str, Stream]
    stored: Mapping[str, int]
    tail: Mapping[str, Rows]

    def n_rows(self, stream: str) -> int:
        return self.stored[stream] + len(self.tail[stream]["steps"])


def read_journal(path: Path) -> Contents:
    """All appends that were completed.

    Raises:
        ValueError: the file is missing or its first record is damaged.
    """
    data = path.read_bytes() if path.is_file() else b""
    payloads = _payloads(data)
    if not payloads:
        raise ValueError(f"{path}: found no whole record, expected the journal of a trajectory; copy the whole folder of the run again")
    first, offset = _text(payloads[0])
    streams = {name: {c: Column(d, tuple(s)) for c, (d, s) in columns.items()} for name, columns in first["streams"].items()}
    parts: dict[str, list[Rows]] = {name: [no_rows(stream)] for name, stream in streams.items()}
    for payload in payloads:
        text, offset = _text(payload)
        for name, n in text["rows"].items():
            rows = {}
            for c, column in streams[name].items():
                count = n * int(np.prod(column.shape, dtype=int))
                rows[c] = np.frombuffer(payload, column.dtype, count, offset).reshape(n, *column.shape)
                offset += count * rows[c].itemsize
            parts[name].append(rows)
    return Contents(streams, first["stored"], {name: joined(pieces) for name, pieces in parts.items()})


def write_journal(path: Path, contents: Contents) -> None:
    """Replace the journal at once."""
    first = {
        "streams": {name: {c: [column.dtype, column.shape] for c, column in s.items()} for name, s in contents.streams.items()},
        "stored": dict(contents.stored),
    }
    temporary = path.with_name(f"{path.name}.partial")
    temporary.write_bytes(record(contents.tail, contents.streams, first))
    reach_disk(temporary)
    temporary.replace(path)


def reach_disk(*paths: Path) -> None:
    """Wait until files, and the entries of folders, are on the disk."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def record(rows: Mapping[str, Rows], streams: Mapping[str, Stream], first: Mapping | None = None) -> bytes:
    """The bytes of one append; `first` is what the first record says beside."""
    counts = {name: len(columns["steps"]) for name, columns in rows.items()}
    text = json.dumps({"rows": counts, **(first or {})}).encode()
    arrays = [np.ascontiguousarray(rows[name][c], column.dtype).tobytes() for name in rows for c, column in streams[name].items()]
    payload = b"".join([LENGTH.pack(len(text)), text, *arrays])
    return HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def joined(parts: list[Rows]) -> Rows:
    return {name: np.concatenate([rows[name] for rows in parts]) for name in parts[0]}


def no_rows(stream: Stream) -> Rows:
    return {name: np.zeros((0, *column.shape), column.dtype) for name, column in stream.items()}


def _payloads(data: bytes) -> list[memoryview]:
    found, position, view = [], 0, memoryview(data)
    while position + HEAD.size <= len(data):
        size, checksum = HEAD.unpack_from(data, position)
        payload = view[position + HEAD.size : position + HEAD.size + size]
        if size < LENGTH.size or zlib.crc32(payload) != checksum:  # zeros, which a loss of power may leave, would pass the second
            break
        found.append(payload)
        position += HEAD.size + size
    return found


def _text(payload: memoryview) -> tuple[dict, int]:
    """The JSON of a payload, and where the bytes of its rows begin."""
    end = LENGTH.size + LENGTH.unpack_from(payload)[0]
    return json.loads(bytes(payload[LENGTH.size : end])), end
