"""The data of a run from its `data` config: frames, splits, statistics, graphs."""

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError

from mlff.bundled import bundled_folder, bundled_name
from mlff.data import Frame, FrameStore, Splits, cached_neighbors, data_hash, read_frames, split_frames, suspect_units
from mlff.data.dataset import FrameDataset
from mlff.data.statistics import species_of
from mlff.data.subset import FrameSubset
from mlff.data.unlabelled import refuse_unlabelled


@dataclass(frozen=True)
class RunData:
    """Frames, how they are split into PARTS, and the species, by atomic number, of the training part."""

    frames: Sequence[Frame]
    splits: Splits
    species: tuple[str, ...]
    hash: str

    def part(self, name: str) -> FrameSubset:
        """The frames of "train", "val" or "test"."""
        return FrameSubset(self.frames, self.indices(name))

    def indices(self, name: str) -> np.ndarray:
        return np.asarray(getattr(self.splits, name))


def locate(path: str | os.PathLike) -> Path:
    """A path as given, or, for "bundled:name", a file of the package: bundled:li3ps4 or bundled:li3ps4_splits.json."""
    name = bundled_name(path)
    if name is None:
        return Path(path).expanduser()
    folder = bundled_folder("data")
    found = folder / (name if "." in name else f"{name}.extxyz.gz")
    if not found.exists():
        have = sorted(f.name for f in folder.glob("*") if f.suffix in {".gz", ".json"})
        raise FileNotFoundError(f"the package bundles no {name!r}; it has {', '.join(have)}")
    return found


def read_data(path: str | os.PathLike, format: str | None, energy_kind: str | None) -> Sequence[Frame]:
    """The frames of a file or folder, checked for wrong units; those of a frame store stay on disk."""
    place = locate(path)
    in_store = format in (None, "store") and energy_kind is None and (place / "store.json").is_file()
    frames = FrameStore(place) if in_store else read_frames(place, format=format, energy_kind=energy_kind)
    refuse_unlabelled(frames)
    suspect_units(frames)
    return frames


def load_data(cfg: DictConfig, seed: int) -> RunData:
    """Read, check and split."""
    try:
        path = cfg.path
    except InterpolationResolutionError as error:
        variable = OmegaConf.to_container(cfg, resolve=False)["path"].partition("oc.env:")[2].partition("}")[0]
        raise ValueError(f"`data.path` needs the environment variable {variable}, which is not set; export {variable}=<folder>") from error
    frames = read_data(path, cfg.format, cfg.energy_kind)
    options = {k: v for k, v in cfg.split.items() if k != "kind"}
    if options.get("splits"):
        options["splits"] = locate(options["splits"])
    splits = _only(split_frames(frames, kind=cfg.split.kind, seed=seed, **options), frames, cfg.only)
    species = tuple(cfg.species) if cfg.species else species_of(FrameSubset(frames, splits.train))
    return RunData(frames, splits, species, data_hash(frames))


def _only(splits: Splits, frames: Sequence[Frame], only: DictConfig) -> Splits:
    """Keep, of training and validation or of the test part, the frames of so many atoms."""
    if only.train_atoms is None and only.test_atoms is None:
        return splits
    wanted = {"train": only.train_atoms, "val": only.train_atoms, "test": only.test_atoms}
    sizes = np.array([len(frame.numbers) for frame in frames])
    parts = {name: part[sizes[part] == n] if n else part for name, n in wanted.items() for part in [np.asarray(getattr(splits, name))]}
    for name, part in parts.items():
        if not len(part):
            raise ValueError(
                f"no {name} frame has {wanted[name]} atoms; the frames have {sorted(set(sizes.tolist()))}: correct `data.only`"
            )
    text = f"{splits.description}; trained on frames of {only.train_atoms or 'all'} atoms, tested on frames of {only.test_atoms or 'all'}"
    return dataclasses.replace(splits, description=text, **parts)


# of neighbours held in memory; more are read from the cache on disk each time
MEMORY = 1 << 30  # bytes
BYTES_PER_EDGE = 28  # two int64 indices and three int32 shifts


def dataset(frames: Sequence[Frame], species: Sequence[str], r_max: float, indices: Sequence[int]) -> FrameDataset:
    """Graphs of some of the frames, with neighbours from the cache on disk."""
    chosen = FrameSubset(frames, indices)
    neighbors = cached_neighbors(chosen, r_max)
    keep = BYTES_PER_EDGE * int(neighbors.offsets[-1]) < MEMORY
    return FrameDataset(chosen, species, r_max, neighbors=neighbors, keep=keep)
