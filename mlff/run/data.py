"""The data of a run from its `data` config: frames, splits, statistics, graphs."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

import mlff
from mlff.data import Frame, Splits, cached_neighbors, data_hash, read_frames, split_frames, suspect_units
from mlff.data.dataset import FrameDataset
from mlff.data.statistics import species_of

BUNDLED = "bundled:"


@dataclass(frozen=True)
class RunData:
    """Frames, how they are split, and the species, by atomic number, of the training part."""

    frames: list[Frame]
    splits: Splits
    species: tuple[str, ...]
    hash: str

    def part(self, name: str) -> list[Frame]:
        """The frames of "train", "val" or "test"."""
        return [self.frames[i] for i in self.indices(name)]

    def indices(self, name: str) -> np.ndarray:
        return np.asarray(getattr(self.splits, name))


def locate(path: str | os.PathLike) -> Path:
    """A path as given, or, for "bundled:name", a file of the package: bundled:li3ps4 or bundled:li3ps4_splits.json."""
    text = str(path)
    if not text.startswith(BUNDLED):
        return Path(os.path.expanduser(text))
    name = text.removeprefix(BUNDLED)
    folder = Path(mlff.__file__).parent / "data" / "bundled"
    found = folder / (name if "." in name else f"{name}.extxyz.gz")
    if not found.exists():
        have = sorted(f.name for f in folder.glob("*") if f.suffix in {".gz", ".json"})
        raise FileNotFoundError(f"the package bundles no {name!r}; it has {', '.join(have)}")
    return found


def read_data(cfg: DictConfig) -> list[Frame]:
    """The frames of cfg.path, checked for wrong units."""
    path = locate(cfg.path)
    frames = read_frames(path, format=cfg.format, energy_kind=cfg.energy_kind)
    suspect_units(frames)
    return frames


def load_data(cfg: DictConfig, seed: int) -> RunData:
    """Read, check and split."""
    frames = read_data(cfg)
    options = {k: v for k, v in cfg.split.items() if k != "kind"}
    if options.get("splits"):
        options["splits"] = locate(options["splits"])
    splits = split_frames(frames, kind=cfg.split.kind, seed=seed, **options)
    species = tuple(cfg.species) if cfg.species else species_of([frames[i] for i in splits.train])
    return RunData(frames, splits, species, data_hash(frames))


def dataset(frames: Sequence[Frame], species: Sequence[str], r_max: float, indices: Sequence[int]) -> FrameDataset:
    """Graphs of some of the frames, with neighbours from the cache on disk."""
    chosen = [frames[int(i)] for i in indices]
    return FrameDataset(chosen, species, r_max, neighbors=cached_neighbors(chosen, r_max))
