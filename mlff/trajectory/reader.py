"""Trajectory: frames and series from disk, some at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import atomic_masses

from mlff.trajectory.frames import Frames, Series
from mlff.trajectory.journal import read_journal
from mlff.trajectory.layout import JOURNAL, open_store, read_file, rows_per_write
from mlff.units import AMU


class Trajectory(Sequence):
    """What a trajectory held when this was made; also while a run writes it, whose later appends another Trajectory shows.

    `len(traj)` counts frames, and `traj[i]` is frame i as ase.Atoms: unwrapped positions; velocities where they were stored at the
    same step, else none; in `info` the `step`, the `time` (fs) and every number of a series that was stored at the same step.

    Attributes:
        n_frames, n_atoms: int.
        numbers, masses, pbc: (n_atoms,), (n_atoms,) amu, (3,) bool.
        about: what the run said of itself; `timestep` in fs.
        steps, times: (n_frames,) int64, and × timestep, fs.
        series_names: of what else was stored.
    Raises:
        ValueError: the folder is missing, is something else, or was written by a newer version.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._group = open_store(self.path, "r")
        self._contents = read_journal(self.path / JOURNAL)
        attributes, atoms = self._group.attrs, self._group["atoms"]
        self.about, self.pbc = dict(attributes["about"]), np.array(attributes["pbc"], bool)
        self.chunk, self.precision = int(attributes["chunk"]), float(attributes["precision"])
        self.numbers, self.masses = atoms["numbers"][:], atoms["masses"][:]
        self._positions, self._cell = atoms["positions"][:], atoms["cell"][:]
        self.n_frames, self.n_atoms = self._contents.n_rows("frames"), len(self.numbers)
        self.series_names = tuple(name for name in self._contents.streams if name != "frames")
        self._steps: dict[str, np.ndarray] = {}
        self._arrays: dict[tuple[str, str], object] = {}  # of zarr, by stream and column
        self._blocks: dict[tuple[str, str], tuple[int, np.ndarray]] = {}  # the last file unpacked
        self.steps = self._steps_of("frames")
        self.times = self.steps * float(self.about["timestep"])

    def __len__(self) -> int:
        return self.n_frames

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.n_frames))]
        i = int(index)
        if not -self.n_frames <= i < self.n_frames:
            raise IndexError(f"{self.path}: frame {i} was asked for, but the trajectory holds {self.n_frames}")
        i %= self.n_frames
        return self.atoms_of(self._frames(range(i, i + 1)), 0)

    def __iter__(self) -> Iterator[Atoms]:
        return self.atoms()

    def atoms(self, start: int = 0, stop: int | None = None, stride: int = 1) -> Iterator[Atoms]:
        """Frames as `traj[i]` gives them, one at a time."""
        for frames in self.chunks(start, stop, stride):
            for k in range(len(frames)):
                yield self.atoms_of(frames, k)

    def chunks(self, start: int = 0, stop: int | None = None, stride: int = 1, size: int | None = None) -> Iterator[Frames]:
        """Frames start, start + stride, … before stop, `size` at a time; only so many are in memory, and one chunk of the store.

        Args:
            start, stop: as of a slice; negative ones count from the end.
            size: frames; by default as many as the store keeps together.
        Raises:
            ValueError: stride or size is not positive.
        """
        for some in _parts(self.n_frames, start, stop, stride, self.chunk if size is None else size):
            yield self._frames(some)

    def velocities(self, start: int = 0, stop: int | None = None, stride: int = 1) -> Series:
        """The series `velocities`, (n, n_atoms, 3) float32, Å/fs, all in memory; `series_chunks("velocities")` gives it in parts."""
        return self.series("velocities", start, stop, stride)

    def series(self, name: str, start: int = 0, stop: int | None = None, stride: int = 1) -> Series:
        """The entries start, start + stride, … before stop of a series.

        Raises:
            ValueError: there is no such series.
        """
        return self._entries(name, range(*slice(start, stop, stride).indices(self.n_entries(name))))

    def series_chunks(
        self, name: str, start: int = 0, stop: int | None = None, stride: int = 1, size: int | None = None
    ) -> Iterator[Series]:
        """The same, `size` entries at a time; by default as many as the store keeps together."""
        n = self.n_entries(name)
        size = rows_per_write(name, self._contents.streams[name], self.chunk) if size is None else size
        for some in _parts(n, start, stop, stride, size):
            yield self._entries(name, some)

    def n_entries(self, name: str) -> int:
        """Entries of a series.

        Raises:
            ValueError: there is no such series.
        """
        if name not in self.series_names:
            raise ValueError(
                f"{self.path}: found no series {name!r}, expected one of {list(self.series_names)}; let the run store it, or name another"
            )
        return self._contents.n_rows(name)

    def series_steps(self, name: str) -> np.ndarray:
        """(n_entries,) int64, the steps of a series.

        Raises:
            ValueError: there is no such series.
        """
        self.n_entries(name)
        return self._steps_of(name)

    @property
    def constant_cell(self) -> bool:
        """Whether every frame has the cell that the trajectory was created with."""
        return not self._rows("frames", "cell_changes", range(self.n_frames)).any()

    def _frames(self, which: range) -> Frames:
        positions = np.multiply(self._rows("frames", "displacements", which), self.precision, dtype=np.float64)
        positions += self._positions
        return Frames(
            self.steps[which.start : which.stop : which.step].copy(), positions, self._cell + self._rows("frames", "cell_changes", which)
        )

    def _entries(self, name: str, which: range) -> Series:
        rows = {column: self._rows(name, column, which).copy() for column in self._contents.streams[name]}
        return Series(rows.pop("steps"), rows)

    def atoms_of(self, frames: Frames, k: int) -> Atoms:
        """Frame k of some that `chunks` gave, as `traj[i]` gives it."""
        step = int(frames.steps[k])
        atoms = Atoms(self.numbers, frames.positions[k], cell=frames.cells[k], pbc=self.pbc)
        if (self.masses != atomic_masses[self.numbers]).any():
            atoms.set_masses(self.masses)
        atoms.info = {"step": step, "time": step * float(self.about["timestep"])}
        for name in self.series_names:
            steps = self._steps_of(name)
            i = int(np.searchsorted(steps, step))
            if i == len(steps) or steps[i] != step:
                continue
            for value, column in self._contents.streams[name].items():
                if name == "velocities" and value == "velocities":
                    # ASE's unit of time is √(amu Å²/eV), which is √AMU fs
                    atoms.set_velocities(self._rows(name, value, range(i, i + 1))[0] * np.sqrt(AMU))
                elif column.shape == () and value != "steps":
                    atoms.info[value] = float(self._rows(name, value, range(i, i + 1))[0])
        return atoms

    def _steps_of(self, name: str) -> np.ndarray:
        if name not in self._steps:
            self._steps[name] = self._rows(name, "steps", range(self._contents.n_rows(name)))
        return self._steps[name]

    def _rows(self, name: str, column: str, which: range) -> np.ndarray:
        """Rows of one column of a stream, read-only; the last file unpacked is kept, because the next rows may lie there too."""
        stored, tail = self._contents.stored[name], self._contents.tail[name][column]
        array = self._array(name, column)
        parts, done = [tail[:0]], 0
        while done < len(which):
            row = which[done]
            if row >= stored:
                begin, end, block = stored, stored + len(tail), tail
            else:
                number = row // array.chunks[0]
                begin = number * array.chunks[0]
                end = min(begin + array.chunks[0], stored)  # what may follow in the file is not valid
                block = self._block(name, column, number)
            part = block[row - begin : min(which.stop, end) - begin : which.step]
            parts.append(part)
            done += len(part)
        rows = parts[1] if len(parts) == 2 else np.concatenate(parts)
        rows.flags.writeable = False
        return rows

    def _array(self, name: str, column: str):
        if (name, column) not in self._arrays:
            self._arrays[name, column] = self._group[f"{name}/{column}"]
        return self._arrays[name, column]

    def _block(self, name: str, column: str, number: int) -> np.ndarray:
        kept, block = self._blocks.get((name, column), (None, None))
        if kept != number:
            block = read_file(self._array(name, column), self.path, number)
            self._blocks[name, column] = (number, block)
        return block


def _parts(n: int, start: int, stop: int | None, stride: int, size: int) -> Iterator[range]:
    """The indices of a slice of n, `size` at a time."""
    if stride < 1 or size < 1:
        raise ValueError(f"found stride {stride} and size {size}, expected at least 1; give whole numbers of frames")
    indices = range(*slice(start, stop, stride).indices(n))
    return (indices[k : k + size] for k in range(0, len(indices), size))
