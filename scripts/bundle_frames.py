"""Join labelled frames into a bundled set and its splits.

    python scripts/bundle_frames.py li3ps4 gamma16.extxyz gamma32.extxyz …
    python scripts/bundle_frames.py thiophosphates mlff/data/bundled/thiophosphates.extxyz.gz runs/active/al_lips_glass

Of a campaign all that it labelled is taken: what it learnt keeps its part, and the audit, which nobody learnt, is the test. Frames of a
set that was bundled before keep theirs.
"""

import gzip
import json
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from ase import Atoms
from ase.io import read, write

from mlff.active.campaign import LABELLED, ROUNDS
from mlff.active.frames import PARTS, read_frames
from mlff.run.active.campaign import INITIAL

FOLDER = Path(__file__).parents[1] / "mlff" / "data" / "bundled"
SPLITS = "_splits.json"
# Whole trajectories of li3ps4 are held out, by number and temperature, so that a frame's part never changes as the set grows.
HELD_OUT = {
    ("Li3PS4_gamma", 1): {300: "val", 600: "test", 900: "val", 1200: "test"},
    ("Li3PS4_gamma", 2): {300: "test", 900: "test"},
    ("Li3PS4_gamma112", 0): {300: "test", 900: "test"},
    ("Li3PS4_beta", 0): {600: "test", 1200: "test"},
    ("Li3PS4_alpha", 0): {300: "test", 1200: "test"},
    ("Li3PS4_gamma112", 10): {600: "test", 1200: "val"},
    ("Li3PS4_beta", 10): {300: "val", 900: "test"},
    ("Li3PS4_alpha", 10): {600: "val", 900: "test"},
}


def part(info: dict) -> str:
    """ "train", "val" or "test" of a frame: its own, or by the number at the end of its trajectory's name."""
    if "split" in info:
        return info["split"]
    number = int(info["trajectory"].rsplit("-", 1)[1])
    return HELD_OUT.get((info["structure"], number), {}).get(int(info["temperature"]), "train")


def frames_of(path: Path) -> Iterator[Atoms]:
    """Of a campaign's folder, of a set that was bundled before, or of a file of labelled frames."""
    splits = path.with_name(path.name.removesuffix(".extxyz.gz") + SPLITS)
    if path.is_dir():
        yield from of_campaign(path)
    elif splits.is_file():
        part_of = {k: which for which, indices in json.loads(splits.read_text()).items() for k in indices}
        for k, frame in enumerate(read_frames(path)):
            frame.info["split"] = part_of[k]
            yield frame
    else:
        yield from read(path, index=":")


def of_campaign(folder: Path) -> Iterator[Atoms]:
    """What it labelled, with its name and the number of its round (the first frames: -1); not the frames it was given."""
    for frame in read_frames(folder / INITIAL):
        if frame.info.get("reason") == "initial":
            frame.info |= {"campaign": folder.name, "round": -1}
            yield frame
    for file in sorted(folder.glob(f"{ROUNDS}/*/{LABELLED}")):
        for frame in read_frames(file):
            frame.info |= {"campaign": folder.name, "round": int(file.parent.name)}
            yield frame


def main(name: str, sources: list[Path]) -> None:
    found: dict[tuple, Atoms] = {}
    for frame in (frame for path in sources for frame in frames_of(path)):
        # a campaign that goes on from a bundled set has it among its first frames
        found.setdefault((frame.numbers.tobytes(), frame.positions.round(3).tobytes()), frame)
    frames = list(found.values())
    splits = {which: [i for i, frame in enumerate(frames) if part(frame.info) == which] for which in PARTS}
    for frame in frames:
        frame.info.pop("split", None)  # one home: the file of splits
    text = StringIO()
    write(text, frames, format="extxyz")
    # mtime 0: the same frames make the same file
    (FOLDER / f"{name}.extxyz.gz").write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    (FOLDER / f"{name}{SPLITS}").write_text(json.dumps(splits) + "\n")
    print({which: len(indices) for which, indices in splits.items()})


if __name__ == "__main__":
    main(sys.argv[1], [Path(word) for word in sys.argv[2:]])
