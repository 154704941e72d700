"""Trajectories of a study: their frames, and the samples of them, which are computed once."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from tqdm import tqdm

from mlff.analysis import System
from mlff.run.analysis.sources import Source
from mlff.trajectory import Frames
from mlff.whole_file import written_whole
from softness.radial import RadialFunctions
from softness.rows import Samples
from softness.windows import Windows, motions, structures, window_samples

KEPT = tuple(field.name for field in fields(Samples) if field.name not in ("trajectories", "structures"))


@dataclass(frozen=True)
class Sampled:
    """One trajectory. frames: all that is analysed, in memory. samples: of its windows.

    displacements: (n_windows × n_ions,), Å², squares in the same windows. structures: mean positions and cell before each window.
    """

    source: Source
    frames: Frames
    samples: Samples
    displacements: np.ndarray
    structures: list[tuple[np.ndarray, np.ndarray]]

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
    """Samples of each, from `kept` where they were computed with the same settings from as many frames before."""
    found = []
    displacement = Windows(**asdict(windows) | {"measure": "displacement"})
    for source in tqdm(sources, unit="trajectory", desc="structure and motion", disable=None):
        trajectory = source.open()
        parts = list(trajectory.chunks(source.first))
        frames = Frames(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("steps", "positions", "cells")))
        settings = {
            "windows": asdict(windows),
            "functions": asdict(functions),
            "reading": asdict(source.reading),
            "rests": source.system.rests,
        }
        settings |= {"frame_time": source.system.frame_time, "frames": _hash_of(frames)}
        file = kept / f"{source.name}_{_hash(settings)}.safetensors"
        glass = _structure(trajectory.about, source.name)
        arrays = _loaded(file)
        if arrays is None:
            samples = window_samples(frames, source.system, windows, functions, source.name, glass)
            arrays = {name: np.ascontiguousarray(getattr(samples, name)) for name in KEPT}
            arrays["displacements"] = motions(frames, source.system, displacement).reshape(-1)
            kept.mkdir(parents=True, exist_ok=True)
            with written_whole(file) as unfinished:
                save_file(arrays, unfinished)
        own = {name: arrays[name] for name in KEPT}
        n = len(arrays["motion"])
        samples = Samples(**own, trajectories=np.full(n, source.name), structures=np.full(n, glass))
        found.append(Sampled(source, frames, samples, arrays["displacements"], list(structures(frames, source.system, windows))))
    return found


def _loaded(file: Path) -> Mapping[str, np.ndarray] | None:
    """None where it is not there, or was not written to its end."""
    try:
        return load_file(file) if file.exists() else None
    except (SafetensorError, OSError):
        return None


def _structure(about: Mapping, name: str) -> str:
    """What a run started from: all temperatures of one seed are of one structure. Where nothing tells it, a trajectory has its own."""
    return f"{about['structure']} of seed {about['seed']}" if {"structure", "seed"} <= set(about) else name


def _hash_of(frames: Frames) -> str:
    """Of all steps and of three frames."""
    chosen = np.ascontiguousarray(frames.positions[[0, len(frames) // 2, -1]])
    return hashlib.sha256(np.ascontiguousarray(frames.steps).tobytes() + chosen.tobytes()).hexdigest()


def _hash(settings: Mapping) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:12]
