"""The project's own store (mlff.data.store) as a format like any other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mlff.data.frame import Frame
from mlff.data.store import FrameStore


def read_store(path: Path, *, energy_kind: str | None = None) -> Iterator[Frame]:
    """Frames of a store, which has fixed the energy already.

    Raises:
        ValueError: `energy_kind` asks for an energy that the store does not hold.
    """
    for frame in FrameStore(path):
        if energy_kind is not None and frame.energy is not None and frame.energy_kind not in (energy_kind, "unknown"):
            raise ValueError(
                f"{path}, {frame.where}: holds the {frame.energy_kind!r} energy, expected {energy_kind!r}; "
                "write the store again from its source"
            )
        yield frame
