"""Join labelled frames into a bundled set and its splits.

    python scripts/bundle_frames.py li3ps4 gamma16.extxyz gamma32.extxyz …
    python scripts/bundle_frames.py thiophosphates runs/active/al_lips_cp2k

Of a campaign all that it labelled is taken: what it learnt keeps its part, and the audit, which nobody learnt, is the test.
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


def of_campaign(folder: Path) -> Iterator[Atoms]:
    """What it labelled, with the number of its round (the first frames: -1); not the test frames it was given."""
    for frame in read_frames(folder / INITIAL):
        if frame.info.get("reason") == "initial":
            frame.info["round"] = -1
            yield frame
    for file in sorted(folder.glob(f"{ROUNDS}/*/{LABELLED}")):
        for frame in read_frames(file):
            frame.info["round"] = int(file.parent.name)
            yield frame


def main(name: str, sources: list[Path]) -> None:
    frames = [frame for path in sources for frame in (of_campaign(path) if path.is_dir() else read(path, index=":"))]
    splits = {which: [i for i, frame in enumerate(frames) if part(frame.info) == which] for which in PARTS}
    for frame in frames:
        frame.info.pop("split", None)  # one home: the file of splits
    text = StringIO()
    write(text, frames, format="extxyz")
    # mtime 0: the same frames make the same file
    (FOLDER / f"{name}.extxyz.gz").write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    (FOLDER / f"{name}_splits.json").write_text(json.dumps(splits) + "\n")
    print({which: len(indices) for which, indices in splits.items()})


if __name__ == "__main__":
    main(sys.argv[1], [Path(word) for word in sys.argv[2:]])
