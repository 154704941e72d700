"""The labelled frames of a campaign, and which part each of them serves."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ase import Atoms
from ase.io import read, write

from mlff.whole_file import written_whole

TRAIN, VAL, TEST = PARTS = ("train", "val", "test")


def divided(frames: Iterable[Atoms], val_every: int, already: Mapping[str, int], n_test: int = 0) -> list[Atoms]:
    """Each frame with the key `split`: `n_test` of them, spread evenly, test; of the others every `val_every`-th validates.

    Args:
        already: how many frames each part has; the count goes on from round to round.
    """
    frames, counts = list(frames), Counter(already)
    tested = {round((k + 0.5) * len(frames) / n_test - 0.5) for k in range(n_test)}
    for k, frame in enumerate(frames):
        learnt = VAL if (counts[TRAIN] + counts[VAL]) % val_every == val_every - 1 else TRAIN
        frame.info["split"] = TEST if k in tested else learnt
        counts[frame.info["split"]] += 1
    return frames


def part(frames: Iterable[Atoms], name: str) -> list[Atoms]:
    return [frame for frame in frames if frame.info["split"] == name]


def parts(frames: Iterable[Atoms]) -> dict[str, int]:
    """How many frames each part has."""
    counts = Counter(frame.info["split"] for frame in frames)
    return {name: counts[name] for name in PARTS}


def write_frames(path: Path, frames: Sequence[Atoms]) -> None:
    """An extxyz file that appears whole or not at all; no frames make an empty one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as file:
        if frames:
            write(file, list(frames), format="extxyz")
        else:
            file.write_text("")


def read_frames(path: Path) -> list[Atoms]:
    """What `write_frames` wrote."""
    return read(path, index=":", format="extxyz") if path.stat().st_size else []
