"""TrajectoryWriter: frames and series go to disk as they come, and a kill costs at most the append under way."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.trajectory.checks import checked_about, checked_finite, checked_frames, checked_series
from mlff.trajectory.frames import Frames, Series
from mlff.trajectory.journal import Contents, joined, no_rows, reach_disk, read_journal, record, write_journal
from mlff.trajectory.layout import (
    FORMAT,
    JOURNAL,
    PRECISION,
    VERSION,
    Rows,
    frames_stream,
    make_array,
    open_store,
    rows_per_write,
)


class TrajectoryWriter:
    """The one process that writes a trajectory; make it with `create` or `open`, and leave it with `close` or `with`.

    What `append` was given is safe from a kill of the process when it returns. After a loss of power, appends of the last chunk may
    be missing, and the rest reads.
    """

    def __init__(self, path: Path):
        """Raises:
        ValueError: the folder is no trajectory, or another process writes it.
        """
        self.path = path
        self._group = open_store(path, "r+")
        self._lock = open(path / "writer.lock", "w")  # noqa: SIM115 - held until close
        self._file: int | None = None
        try:
            self._hold()
            self.chunk, self.precision = int(self._group.attrs["chunk"]), float(self._group.attrs["precision"])
            self._reference, self._first_cell = self._group["atoms/positions"][:], self._group["atoms/cell"][:]
            self._take(read_journal(path / JOURNAL))
        except BaseException:
            self._lock.close()
            raise

    def _hold(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # given up also by a process that is killed
        except BlockingIOError:
            raise ValueError(
                f"{self.path}: found another process that writes it, expected to be the only one; end that run first"
            ) from None
        except OSError:  # a file system without locks
            pass

    @classmethod
    def create(cls, path: str | Path, atoms: Atoms, about: Mapping, chunk: int = 100, precision: float = PRECISION) -> TrajectoryWriter:
        """A new trajectory without frames.

        Args:
            path: folder; it must not exist, or be empty.
            atoms: species, masses and pbc for good; its positions and cell are the reference that displacements start from.
            about: the run in words that JSON holds: `timestep` (fs) must be there; ensemble, constraint, model, seeds and the like may.
            chunk: frames in one file.
            precision: of positions, Å; their error is half of it.
        Raises:
            ValueError: the path is taken, or one of the arguments is refused.
        """
        path, about = Path(path), checked_about(about)
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise ValueError(
                f"{path}: found something there already, expected a new folder; name another, "
                "or go on with TrajectoryWriter.open(path, keep_until_step)"
            )
        if len(atoms) == 0 or chunk < 1 or not 0 < precision < 1:
            raise ValueError(
                f"found {len(atoms)} atoms, chunk {chunk} and precision {precision}, expected at least one atom, one frame in a chunk "
                "and a precision between 0 and 1 Å; correct the one that is not"
            )
        given = {
            "numbers": np.asarray(atoms.numbers, np.int64),
            "masses": atoms.get_masses(),
            "positions": np.asarray(atoms.positions, np.float64),
            "cell": np.asarray(atoms.cell.array, np.float64),
        }
        for name, array in given.items():
            checked_finite(name, array[None], np.zeros(1, int))
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.partial")
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            _make(unfinished, given, {"pbc": atoms.pbc.tolist(), "about": about, "chunk": int(chunk), "precision": float(precision)})
            unfinished.rename(path)  # a folder of this name is a whole trajectory, or not one at all
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return cls(path)

    @classmethod
    def open(cls, path: str | Path, keep_until_step: int) -> TrajectoryWriter:
        """Go on with a trajectory from a step that the run is restarted at; all that is later is dropped.

        Raises:
            ValueError: the folder is no trajectory, or another process writes it.
        """
        writer = cls(Path(path))
        try:
            for unfinished in [*writer.path.rglob("*.partial")]:  # what a kill left in the middle of a write
                unfinished.unlink(missing_ok=True)
            kept = {name: writer._kept(name, keep_until_step) for name in writer._streams}
            stored, tail = ({name: part[k] for name, part in kept.items()} for k in (0, 1))
            writer._replace(Contents(writer._streams, stored, tail))
        except BaseException:
            writer.close()
            raise
        return writer

    def append(self, frames: Frames | None = None, **series: Series) -> None:
        """Add frames and series, all of them or, where one is refused, none.

        Args:
            frames: later than those stored.
            series: each of its own steps, later than its stored ones, with the same values each time; `velocities` holds
                `velocities`, (n, n_atoms, 3), Å/fs, kept in float32; others are kept in float64, or float32 where that is given first.
        Raises:
            ValueError: a shape, a value or a step is not as it must be. Nothing is stored then.
        """
        if self._file is None:
            raise ValueError(f"{self.path}: found a writer that was closed, expected an open one; reopen with TrajectoryWriter.open")
        streams, rows = dict(self._streams), {}
        if frames is not None and len(frames.steps):
            rows["frames"] = self._frames_rows(frames)
        for name, values in series.items():
            stream, columns = checked_series(name, values, self._streams.get(name), len(self._reference), self._last.get(name))
            if len(columns["steps"]):
                streams[name], rows[name] = stream, columns
        if not rows:
            return
        new = streams.keys() - self._streams.keys()
        counts = {name: self._n_tail.get(name, 0) + len(columns["steps"]) for name, columns in rows.items()}
        if not new and all(n < rows_per_write(name, streams[name], self.chunk) for name, n in counts.items()):
            self._log(record(rows, streams))
            for name, columns in rows.items():
                self._parts[name].append(columns)
                self._n_tail[name], self._last[name] = counts[name], int(columns["steps"][-1])
            return
        for name in new:
            for column, kind in streams[name].items():
                make_array(self.path, f"{name}/{column}", kind, rows_per_write(name, streams[name], self.chunk))
        stored = {name: self._stored.get(name, 0) for name in streams}
        tail = {name: joined([*self._parts.get(name, []), rows.get(name, no_rows(streams[name]))]) for name in streams}
        touched: list[Path] = []
        for name, stream in streams.items():
            unit = rows_per_write(name, stream, self.chunk)
            n = len(tail[name]["steps"]) // unit * unit
            if n:
                touched += self._write_rows(name, stored[name], {c: array[:n] for c, array in tail[name].items()})
                stored[name] += n
                tail[name] = {c: array[n:].copy() for c, array in tail[name].items()}
        reach_disk(*touched)  # together: the first wait brings most of the others' with it
        self._replace(Contents(streams, stored, tail))

    def close(self) -> None:
        """Let another process write. What was appended is already on disk."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
            self._lock.close()

    def __enter__(self) -> TrajectoryWriter:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _frames_rows(self, frames: Frames) -> Rows:
        steps, positions, cells = checked_frames(frames, len(self._reference), self._last.get("frames"))
        displacements = np.rint((positions - self._reference) / self.precision)
        farthest = np.abs(displacements).max()
        if farthest > np.iinfo(np.int32).max:
            raise ValueError(
                f"found an ion {farthest * self.precision:.0f} Å from where it began, expected at most {2**31 * self.precision:.0f} Å; "
                "look at the run, or create the store with a larger precision"
            )
        return {"steps": steps, "displacements": displacements.astype(np.int32), "cell_changes": cells - self._first_cell}

    def _log(self, data: bytes) -> None:
        """One record at the end of the journal, whole or not at all."""
        begin = os.fstat(self._file).st_size
        try:
            written = 0
            while written < len(data):
                written += os.write(self._file, memoryview(data)[written:])
        except BaseException:  # a full disk, or an interrupt
            os.ftruncate(self._file, begin)
            raise

    def _write_rows(self, name: str, first: int, rows: Rows) -> list[Path]:
        """Rows into the zarr arrays of a stream, beyond those that the journal counts: the files and folders that this changed."""
        import zarr

        with zarr.config.set({"array.write_empty_chunks": True}):  # so that a file that is missing is a loss, and no zeros
            arrays = {column: self._group[f"{name}/{column}"] for column in rows}
        touched = []
        for column, target in arrays.items():
            end = first + len(rows[column])
            if target.shape[0] != end:
                target.resize((end, *target.shape[1:]))
            target[first:end] = rows[column]
            folder = self.path / name / column
            touched += [folder / "zarr.json", folder / "c"]
            for number in range(first // target.chunks[0], (end - 1) // target.chunks[0] + 1):
                touched += _with_all_below(folder / "c" / str(number))
        return touched

    def _kept(self, name: str, keep_until_step: int) -> tuple[int, Rows]:
        """(rows that stay in the zarr arrays, rows that go back to the journal) of a stream cut after a step."""
        tail = joined(self._parts[name])
        n_tail = int(np.searchsorted(tail["steps"], keep_until_step, side="right"))
        stored = self._stored[name]
        if n_tail or not stored:
            return stored, {c: array[:n_tail] for c, array in tail.items()}
        steps = self._group[f"{name}/steps"][:stored]
        n = int(np.searchsorted(steps, keep_until_step, side="right"))
        unit = rows_per_write(name, self._streams[name], self.chunk)
        full = n // unit * unit
        return full, {c: self._group[f"{name}/{c}"][full:n] for c in self._streams[name]}

    def _replace(self, contents: Contents) -> None:
        write_journal(self.path / JOURNAL, contents)
        os.close(self._file)
        self._take(contents)

    def _take(self, contents: Contents) -> None:
        self._streams, self._stored = dict(contents.streams), dict(contents.stored)
        self._parts = {name: [rows] for name, rows in contents.tail.items()}
        self._n_tail = {name: len(rows["steps"]) for name, rows in contents.tail.items()}
        self._last = {}
        for name, rows in contents.tail.items():
            if len(rows["steps"]):
                self._last[name] = int(rows["steps"][-1])
            elif contents.stored[name]:
                self._last[name] = int(self._group[f"{name}/steps"][contents.stored[name] - 1])
        self._file = os.open(self.path / JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)


def _make(path: Path, given: Mapping[str, np.ndarray], attributes: Mapping) -> None:
    """The files of a trajectory without frames."""
    import zarr

    group = zarr.open_group(path, mode="w-")
    for name, array in given.items():
        group.create_array(f"atoms/{name}", data=array)
    streams = {"frames": frames_stream(len(given["numbers"]))}
    group.attrs.update({"format": FORMAT, "version": VERSION, **attributes})
    for column, kind in streams["frames"].items():
        make_array(path, f"frames/{column}", kind, attributes["chunk"])
    write_journal(path / JOURNAL, Contents(streams, {"frames": 0}, {"frames": no_rows(streams["frames"])}))


def _with_all_below(path: Path) -> list[Path]:
    return [path, *(below for below in path.rglob("*") if not below.name.endswith(".partial"))]
