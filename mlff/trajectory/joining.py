"""Frames of one file after another, unwrapped, checked and written to one store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from mlff.trajectory.checks import checked_about
from mlff.trajectory.continuity import Clock, Joint, Jumps, Steps
from mlff.trajectory.frames import Frames, Series
from mlff.trajectory.layout import open_store
from mlff.trajectory.sources.plausible import check_velocities, check_volume
from mlff.trajectory.sources.source import SourceFrame
from mlff.trajectory.unwrapping import AMBIGUOUS, Unwrapper
from mlff.trajectory.writer import TrajectoryWriter

log = logging.getLogger(__name__)

AT_ONCE = 2**20  # coordinates in memory at a time


class Joining:
    """One store while it is written, from frames of files that continue each other."""

    def __init__(self, path: Path, about: Mapping, stride: int, timestep: float | None, progress: Callable[[int], object] | None):
        self.path, self.about, self.stride, self.progress = path, dict(about), stride, progress
        self.steps, self.clock = Steps(), Clock(timestep)
        self.writer: TrajectoryWriter | None = None
        self.n_frames, self.n_guessed, self.first_guess, self.unwrapped = 0, 0, "", False
        self.batch: list[tuple[int, SourceFrame, str]] = []
        self.first: SourceFrame | None = None

    def __enter__(self) -> Joining:
        return self

    def __exit__(self, *_) -> None:
        if self.writer is not None:
            self.writer.close()

    def file(self, path: Path, precision: float, frames: Iterator[SourceFrame]) -> None:
        """All frames of a file, which are those of one run, or of several that were appended."""
        n = 0
        for n, frame in enumerate(frames, 1):
            where = f"{path}, frame {n - 1}"
            if self.first is None:
                self._begin(frame, where)
            self._check(frame, where)
            if not self.steps.is_joint(frame.step, n == 1):
                step = self.steps.within(frame.step)
                self.clock.take(step, frame.time, where)
                self.batch.append((step, frame, where))
                if len(self.batch) == self.at_once:
                    self._flush()
                continue
            self._flush()
            self.clock.anew()
            usual, before = self.steps.interval, self.steps.last
            repeats = self.unwrapper.moved_to(frame.positions, frame.cell) <= precision
            step = self.steps.across(frame.step, repeats, where)
            if step is not None:
                self.clock.take(step, frame.time, where)
                self.batch.append((step, frame, where))
                self._flush(joint=(where, step - before, usual))
        if n == 0:
            raise ValueError(f"{path}: found no frame, expected at least one; leave the file out")

    def end(self, path: str) -> None:
        """Write what is left, compare the joints, and say what was found."""
        self._flush()
        self.jumps.check()
        self.writer.close()
        about = {**self.about, "timestep": self.clock.timestep(path), "unwrapped": self.unwrapped, "ambiguous_frames": self.n_guessed}
        open_store(self.path, "r+").attrs["about"] = checked_about(about)
        if self.n_guessed:
            log.warning(
                "%s: in %d of %d frames an atom moved by more than %g of a cell since the frame before, first %s: which way it went cannot "
                "be told; store frames nearer in time, or positions with image flags",
                *(path, self.n_guessed, self.n_frames, AMBIGUOUS, self.first_guess),
            )

    def _begin(self, frame: SourceFrame, where: str) -> None:
        if not len(frame.numbers):
            raise ValueError(f"{where}: found no atom, expected at least one; leave the file out")
        if frame.pbc.all():
            check_volume(frame.cell, len(frame.numbers), where)
        self.first = frame
        self.at_once = max(1, min(100, AT_ONCE // frame.positions.size))
        self.unwrapper, self.jumps = Unwrapper(frame.pbc), Jumps([chemical_symbols[z] for z in frame.numbers])
        atoms = Atoms(frame.numbers, frame.positions, cell=frame.cell, pbc=frame.pbc, masses=frame.masses)
        self.masses = atoms.get_masses()
        # the timestep is known when all times are; nobody sees the store before
        self.writer = TrajectoryWriter.create(self.path, atoms, {"timestep": 1.0})

    def _check(self, frame: SourceFrame, where: str) -> None:
        first = self.first
        if frame.numbers is not first.numbers and not np.array_equal(frame.numbers, first.numbers):
            if len(frame.numbers) != len(first.numbers):
                raise ValueError(
                    f"{where}: found {len(frame.numbers)} atoms, expected {len(first.numbers)} as in the first frame; import "
                    "trajectories of other atoms as such"
                )
            atom = int(np.flatnonzero(frame.numbers != first.numbers)[0])
            found, expected = (chemical_symbols[numbers[atom]] for numbers in (frame.numbers, first.numbers))
            raise ValueError(
                f"{where}: found {found} as atom {atom}, expected {expected} as in the first frame: the order of the species changed; "
                "write the atoms in one order"
            )
        if not np.array_equal(frame.pbc, first.pbc):
            raise ValueError(
                f"{where}: found pbc {frame.pbc.tolist()}, expected {first.pbc.tolist()} as in the first frame; correct the file"
            )
        if not np.isfinite(frame.positions).all() or not np.isfinite(frame.cell).all():
            raise ValueError(f"{where}: found a position or a cell that is not finite, expected numbers; remove what follows this frame")

    def _flush(self, joint: tuple[str, int, int] | None = None) -> None:
        """Write the frames at hand. joint: of the one frame at hand, where it is, and how many steps after the last; else None."""
        if not self.batch:
            return
        steps, frames, wheres = zip(*self.batch, strict=True)
        self.batch = []
        # images that a file gives may begin anew in the next file
        wrapped = np.array([not frame.unwrapped or joint is not None for frame in frames])
        found = self.unwrapper(np.stack([frame.positions for frame in frames]), np.stack([frame.cell for frame in frames]), wrapped)
        if joint is None:
            self.jumps.take(found.moved[1 if self.n_frames == 0 else 0 :])
        else:
            self.jumps.take_joint(Joint(*joint, found.moved[0]))
        self.unwrapped |= any(not frame.unwrapped for frame in frames)
        if len(found.ambiguous):
            if not self.n_guessed:
                self.first_guess = f"atom {found.ambiguous_atoms[0]} in {wheres[found.ambiguous[0]]}"
            self.n_guessed += len(found.ambiguous)
        kept = [k for k in range(len(frames)) if (self.n_frames + k) % self.stride == 0]
        self.n_frames += len(frames)
        moving = [k for k in kept if frames[k].velocities is not None]
        series = {}
        if moving:
            velocities = np.stack([frames[k].velocities for k in moving])
            check_velocities(velocities, self.masses, wheres[moving[0]])
            series["velocities"] = Series(np.array([steps[k] for k in moving]), {"velocities": velocities})
        if kept:
            self.writer.append(Frames(np.array(steps)[kept], found.positions[kept], found.cells[kept]), **series)
        if self.progress is not None:
            self.progress(len(frames))
