"""Neighbours of every frame of a set, found once and kept on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from mlff.cache_folder import cache_folder
from mlff.data.cache import cached_array
from mlff.data.frame import Frame
from mlff.data.hashes import data_hash
from mlff.geometry import neighbor_list

TABLE_VERSION = 2


@dataclass(frozen=True)
class NeighborTable:
    """Edges of all frames, one after the other; memory maps.

    offsets: (n_frames + 1,) int64: frame k owns edges offsets[k]:offsets[k + 1].
    edges: (n_edges, 2) int32, centre i and neighbour j counted within the frame.
    edge_shift: (n_edges, 3) int8 (int16 where a shift needs it), whole cells: r_ij = r_j + shift @ cell − r_i.
    """

    offsets: np.ndarray
    edges: np.ndarray
    edge_shift: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """(edge_index (2, E) int64, edge_shift (E, 3) int32) of frame k, as `neighbor_list` gives them."""
        if not 0 <= k < len(self):
            raise IndexError(f"frame {k} was asked for, but the table holds {len(self)}")
        begin, end = self.offsets[k], self.offsets[k + 1]
        return np.ascontiguousarray(self.edges[begin:end].T, dtype=np.int64), self.edge_shift[begin:end].astype(np.int32)


def cached_neighbors(frames: Sequence[Frame], r_max: float, folder: str | Path | None = None) -> NeighborTable:
    """Neighbours closer than r_max (Å) of every frame, from the cache where the same frames were seen before.

    The key holds the frames' geometry and labels, r_max, the table's layout and vesin's version; a change of any gives a new entry.
    Memory stays bounded: the edges go to disk frame by frame.

    Args:
        frames: a list or a FrameStore.
        folder: None: `cache_folder()`.
    """
    key = {
        "what": "neighbours",
        "frames": data_hash(frames),
        "r_max": float(r_max),
        "table_version": TABLE_VERSION,
        "vesin": version("vesin"),
    }
    place = Path(folder or cache_folder())
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".neighbours-", dir=place) as scratch:
        return NeighborTable(**cached_array(key, place, lambda: _compute(frames, r_max, Path(scratch))))


def _compute(frames: Sequence[Frame], r_max: float, scratch: Path) -> dict[str, np.ndarray]:
    try:
        return _stream(frames, r_max, scratch, np.int8)
    except OverflowError:
        return _stream(frames, r_max, scratch, np.int16)  # unwrapped positions, many cells away


def _stream(frames: Sequence[Frame], r_max: float, scratch: Path, shift_type: type) -> dict[str, np.ndarray]:
    limit = np.iinfo(shift_type).max
    offsets = [0]
    with open(scratch / "edges.bin", "wb") as edges_file, open(scratch / "shift.bin", "wb") as shift_file:
        for frame in frames:
            edge_index, edge_shift = neighbor_list(frame.positions, frame.cell, frame.pbc, r_max)
            farthest = int(np.abs(edge_shift).max(initial=0))
            if farthest > limit and shift_type is np.int8:
                raise OverflowError
            if farthest > limit:
                raise ValueError(
                    f"{frame.where}: an atom lies {farthest} cells away, expected at most {limit}; wrap the positions into the cell"
                )
            edges_file.write(np.ascontiguousarray(edge_index.T, dtype=np.int32))
            shift_file.write(np.ascontiguousarray(edge_shift, dtype=shift_type))
            offsets.append(offsets[-1] + edge_index.shape[1])
    n_edges = offsets[-1]
    return {
        "offsets": np.array(offsets, dtype=np.int64),
        "edges": _map(scratch / "edges.bin", np.int32, (n_edges, 2)),
        "edge_shift": _map(scratch / "shift.bin", shift_type, (n_edges, 3)),
    }


def _map(file: Path, dtype: type, shape: tuple[int, int]) -> np.ndarray:
    return np.memmap(file, dtype=dtype, mode="r", shape=shape) if shape[0] else np.zeros(shape, dtype)
