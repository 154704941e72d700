"""How far each mobile ion moved in windows of a trajectory, and the structure that was there before each of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlff.analysis import System
from mlff.analysis.framework.lattice_frame import LatticeFrame
from mlff.analysis.rearrangement.falk_langer import cumulative_d2_min
from mlff.trajectory import Frames
from softness.radial import RadialFunctions
from softness.rows import Samples
from softness.unwrapped import expect_unwrapped

MEASURES = ("d_cum", "d2_min", "displacement")


@dataclass(frozen=True)
class Windows:
    """Windows of equal length, one after the other; before each lie the frames whose mean is the structure.

    length: ps, of the motion. average: ps, of the frames before it whose mean positions are the structure; 0: the last frame alone.
    measure: "d_cum", the sum of D²_min over increments (papers 004); "d2_min", over the window as one increment; "displacement", the
        square of the displacement in the lattice frame, without drift where the system rests.
    increment: ps, of d_cum. r_max: Å, of the neighbours of D²_min, of any species. per_neighbour: D²_min as a mean over them.
    """

    length: float = 10.0
    average: float = 1.0
    measure: str = "d_cum"
    increment: float = 1.0
    r_max: float = 5.0
    per_neighbour: bool = False

    def __post_init__(self) -> None:
        if self.measure not in MEASURES or not (self.length >= self.increment > 0 and self.average >= 0 and self.r_max > 0):
            raise ValueError(
                f"found measure {self.measure!r}, length {self.length}, increment {self.increment}, average {self.average}, r_max "
                f"{self.r_max}; expected one of {', '.join(MEASURES)}, length ≥ increment > 0 and average ≥ 0 in ps, and r_max > 0 in Å"
            )

    def counts(self, frame_time: float) -> tuple[int, int, int]:
        """Frames of the structure, from the first to the last of the motion, and in an increment; frame_time: fs."""
        time = frame_time / 1000
        if self.measure == "d_cum" and self.increment < 0.999 * time:
            raise ValueError(
                f"found frames {frame_time:g} fs apart for increments of {self.increment:g} ps, expected them no further apart; write "
                "frames more often, or lengthen `increment`"
            )
        every = max(1, round(self.increment / time))
        return max(1, round(self.average / time)), every * max(1, round(self.length / time / every)), every

    def begins(self, n_frames: int, frame_time: float) -> range:
        """First frame of the motion of each window that fits."""
        average, length, _ = self.counts(frame_time)
        found = range(average, n_frames - length, average + length)
        if not len(found):
            raise ValueError(
                f"found {n_frames} frames {frame_time:g} fs apart, expected at least {average + length + 1} for one window; take a longer "
                "trajectory or shorter windows"
            )
        return found


def structures(frames: Frames, system: System, windows: Windows) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """`mean_structure` of the frames before each window."""
    average = windows.counts(system.frame_time)[0]
    for begin in windows.begins(len(frames), system.frame_time):
        part = slice(begin - average, begin)
        yield mean_structure(Frames(frames.steps[part], frames.positions[part], frames.cells[part]))


def mean_structure(frames: Frames) -> tuple[np.ndarray, np.ndarray]:
    """Mean positions (n_atoms, 3), Å, of all atoms and mean cell (3, 3).

    The mean is that of the fractional coordinates: where the cell fluctuates, positions far from its corner do so with it.
    """
    cells = np.asarray(frames.cells, float)
    fractions = np.asarray(frames.positions, float) @ np.linalg.inv(cells)
    cell = cells.mean(0)
    return fractions.mean(0) @ cell, cell


def motions(frames: Frames, system: System, windows: Windows) -> np.ndarray:
    """Of each ion in each window, (n_windows, n_ions), Å²; NaN where D²_min has too few neighbours.

    Raises:
        ValueError: positions that are wrapped, or too few frames for one window.
    """
    expect_unwrapped(frames.positions, frames.cells)
    _, length, every = windows.counts(system.frame_time)
    found = []
    for begin in windows.begins(len(frames), system.frame_time):
        part = slice(begin, begin + length + 1)
        steps, positions, cells = frames.steps[part], np.asarray(frames.positions[part], float), np.asarray(frames.cells[part], float)
        if windows.measure == "displacement":
            moved = LatticeFrame(system.ions, system.drift).displacements(Frames(steps, positions, cells))[-1]
            found.append(np.square(moved).sum(-1))
        else:
            step = every if windows.measure == "d_cum" else length
            of_all = cumulative_d2_min(positions[::step], cells[::step], windows.r_max, system.ions, windows.per_neighbour)
            found.append(of_all[system.ions])
    return np.stack(found)


def window_samples(
    frames: Frames,
    system: System,
    windows: Windows,
    functions: RadialFunctions,
    trajectory: int | str = 0,
    structure: int | str | None = None,
) -> Samples:
    """Structure and motion of every mobile ion in every window of a trajectory.

    Args:
        frames: all of it, unwrapped. trajectory: its number or name; structure: of what it is of, None: of nothing else: for what must be
            kept apart.
    Raises:
        ValueError: as `motions`.
    """
    motion = motions(frames, system, windows)
    features = [functions.of_frame(*before, system.symbols, system.ions) for before in structures(frames, system, windows)]
    begins = np.repeat(np.array(windows.begins(len(frames), system.frame_time)), len(system.ions))
    return Samples(
        features=np.concatenate(features),
        motion=motion.reshape(-1),
        particles=np.tile(system.ions, len(motion)),
        trajectories=np.full(motion.size, trajectory),
        structures=np.full(motion.size, trajectory if structure is None else structure),
        at=begins - 1,
        begins=begins,
        ends=begins + windows.counts(system.frame_time)[1],
    )
