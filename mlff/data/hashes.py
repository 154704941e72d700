"""Names of frames: one for all that training sees, one for the geometry alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

import numpy as np

from mlff.data.frame import Frame

HASH_VERSION = b"frames-1"
GEOMETRY_VERSION = b"geometry-1"
GRID = 1e-3  # Å
# of the grid: files print round numbers, and a box border must not lie on one of them, where the last digit decides
GRID_SHIFT = 0.6457


def data_hash(frames: Iterable[Frame]) -> str:
    """sha256 over everything that training sees: species, geometry, labels, kind of energy, config_type, in order. Not where files lie."""
    digest = hashlib.sha256(HASH_VERSION)
    for frame in frames:
        head = {
            "n": len(frame),
            "pbc": frame.pbc.tolist(),
            "energy": frame.energy,
            "kind": frame.energy_kind,
            "has": [frame.forces is not None, frame.stress is not None],
            "config_type": str(frame.info.get("config_type", "")),
        }
        digest.update(json.dumps(head, sort_keys=True).encode())
        digest.update(frame.numbers.astype("<i4").tobytes())
        for array in (frame.positions, frame.cell, frame.forces, frame.stress):
            if array is not None:
                digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    return digest.hexdigest()


def geometry_hash(frame: Frame) -> str:
    """16 hex digits of sha256 over atomic numbers, pbc, and cell and positions on a grid of 1e-3 Å; nothing else.

    The same structure has the same name whatever its labels, metadata and file, with any number of decimals from six on: a
    coordinate moved by 1e-8 Å changes its box with a probability of 1e-5. Atoms in another order, or wrapped otherwise, are another name.
    """
    digest = hashlib.sha256(GEOMETRY_VERSION)
    digest.update(frame.numbers.astype("<i4").tobytes())
    digest.update(frame.pbc.tobytes())
    for array in (frame.cell, frame.positions):
        digest.update(np.floor(array / GRID + GRID_SHIFT).astype("<i8").tobytes())  # integers: no −0
    return digest.hexdigest()[:16]
