"""Trajectories of a study: their frames, and the samples of them, which are computed once."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
from ase import Atoms
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from tqdm import tqdm

from mlff.analysis import System
from mlff.run.analysis.sources import Source
from mlff.trajectory import Frames, Trajectory
from mlff.whole_file import written_whole
from softness.radial import RadialFunctions
from softness.rows import Samples
from softness.windows import Windows, mean_structure, motions, window_samples

KEPT = tuple(field.name for field in fields(Samples) if field.name not in ("trajectories", "structures"))


@dataclass(frozen=True)
class Sampled:
    """One trajectory, of which no more than a window is in memory at once. samples: of its windows; their frames count from the first that
    is analysed.

    displacements: (n_windows × n_ions,), Å², squares in the same windows. structures: mean positions and cell before each window.
    """

    source: Source
    trajectory: Trajectory
    samples: Samples
    displacements: np.ndarray
    structures: list[tuple[np.ndarray, np.ndarray]]

    @property
    def n_frames(self) -> int:
        """That are analysed."""
        return self.trajectory.n_frames - self.source.first

    def frames(self, start: int, stop: int) -> Frames:
        """Of those that are analysed."""
        return _part(self.trajectory, self.source.first, start, stop)

    def atoms(self, k: int) -> Atoms:
        """Frame k of those that are analysed; negative ones count from the end."""
        return self.trajectory[self.source.first + k if k >= 0 else k]

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def system(self) -> System:
        return self.source.system

    @property
    def temperature(self) -> float | None:
        return self.source.condition.temperature

    @property
    def n_windows(self) -> int:
        return len(self.samples) // len(self.system.ions)

    @cached_property
    def ion_positions(self) -> np.ndarray:
        """(n_windows, n_ions, 3), Å, of the structures."""
        return np.array([positions[self.system.ions] for positions, _ in self.structures])

    @cached_property
    def cells(self) -> np.ndarray:
        return np.array([cell for _, cell in self.structures])


def read(sources: Sequence[Source], windows: Windows, functions: RadialFunctions, kept: Path) -> list[Sampled]:
    """Samples of each, from `kept` where they were computed with the same settings from as many frames before.

    Raises:
        ValueError: as `window_samples`.
    """
    return [_sampled(source, windows, functions, kept) for source in sources]


def _sampled(source: Source, windows: Windows, functions: RadialFunctions, kept: Path) -> Sampled:
    trajectory, system = source.open(), source.system
    settings = {
        "windows": asdict(windows),
        "functions": asdict(functions),
        "reading": asdict(source.reading),
        "rests": system.rests,
        "frame_time": system.frame_time,
        "frames": _hash_of(trajectory, source.first),
    }
    file = kept / f"{source.name}_{_hash(settings)}.safetensors"
    arrays = _loaded(file)
    average, length, _ = windows.counts(system.frame_time)
    begins = windows.begins(trajectory.n_frames - source.first, system.frame_time)
    displacement = Windows(**asdict(windows) | {"measure": "displacement"})
    of_windows, squares, before = [], [], []
    for begin in tqdm(begins, unit="window", desc=f"structure and motion, {source.name}", disable=None):
        before.append(mean_structure(_part(trajectory, source.first, begin - average, begin)))
        if arrays is None:
            part = _part(trajectory, source.first, begin - average, begin + length + 1)
            of_windows.append(window_samples(part, system, windows, functions).later(begin - average))
            squares.append(motions(part, system, displacement).reshape(-1))
    if arrays is None:
        samples = Samples.join(of_windows)
        arrays = {name: np.ascontiguousarray(getattr(samples, name)) for name in KEPT} | {"displacements": np.concatenate(squares)}
        kept.mkdir(parents=True, exist_ok=True)
        with written_whole(file) as unfinished:
            save_file(arrays, unfinished)
    own, n = {name: arrays[name] for name in KEPT}, len(arrays["motion"])
    glass = _structure(trajectory.about, source.name)
    samples = Samples(**own, trajectories=np.full(n, source.name), structures=np.full(n, glass))
    return Sampled(source, trajectory, samples, arrays["displacements"], before)


def _part(trajectory: Trajectory, first: int, start: int, stop: int) -> Frames:
    return next(trajectory.chunks(first + start, first + stop, size=stop - start))


def _loaded(file: Path) -> Mapping[str, np.ndarray] | None:
    """None where it is not there, or was not written to its end."""
    try:
        return load_file(file) if file.exists() else None
    except (SafetensorError, OSError):
        return None


def _structure(about: Mapping, name: str) -> str:
    """What a run started from: all temperatures of one seed are of one structure. Where nothing tells it, a trajectory has its own."""
    return f"{about['structure']} of seed {about['seed']}" if {"structure", "seed"} <= set(about) else name


def _hash_of(trajectory: Trajectory, first: int) -> str:
    """Of all steps and of three frames."""
    n = trajectory.n_frames
    chosen = [_part(trajectory, k, 0, 1).positions for k in (first, (first + n) // 2, n - 1)]
    return hashlib.sha256(np.ascontiguousarray(trajectory.steps[first:]).tobytes() + np.concatenate(chosen).tobytes()).hexdigest()


def _hash(settings: Mapping) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:12]
