"""What every format tells of a trajectory: frames, one at a time, with as much as the file says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms


@dataclass(frozen=True)
class SourceFrame:
    """One frame of a file, in Å and fs.

    positions: (n_atoms, 3), measured from the corner of the cell.
    cell: (3, 3), rows.
    numbers: (n_atoms,); the same array as the frame before where nothing changed, so that it need not be compared.
    pbc: (3,) bool.
    unwrapped: whether positions go on where an ion leaves the cell, because the format says so; else they may be wrapped or not.
    step: of the run; None where the file counts none.
    time: fs; None where the file has none.
    velocities: (n_atoms, 3), Å/fs, where the file has them.
    masses: (n_atoms,), amu, where the file has them.
    """

    positions: np.ndarray
    cell: np.ndarray
    numbers: np.ndarray
    pbc: np.ndarray
    unwrapped: bool = False
    step: int | None = None
    time: float | None = None
    velocities: np.ndarray | None = None
    masses: np.ndarray | None = None


@dataclass(frozen=True)
class Options:
    """What the user says because the file does not.

    structure: species and cell. species: symbols of the LAMMPS types 1, 2, …. timestep: fs per step.
    """

    structure: Atoms | None = None
    species: Sequence[str] | None = None
    timestep: float | None = None


@dataclass(frozen=True)
class Source:
    """A format.

    read: frames of a file, in its order; raises TruncatedFile where it ends inside a frame.
    precision: Å, within which two copies of one frame agree.
    uses: which of `structure` and `species` it has use for.
    companions: the files beside one that are read with it.
    """

    read: Callable[[Path, Options], Iterator[SourceFrame]]
    precision: float = 1e-3
    uses: frozenset[str] = frozenset()
    companions: Callable[[Path], list[Path]] = lambda path: []


class TruncatedFile(ValueError):
    """A file that ends inside a frame."""

    def __init__(self, path: Path, frame: int, found: str):
        super().__init__(
            f"{path}: ends inside frame {frame} ({found}), expected a whole one; {frame} whole frames precede: take those with "
            "allow_truncated=True, or copy the file again"
        )
        self.n_whole = frame
