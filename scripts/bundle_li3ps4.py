"""Join labelled frames into the bundled set: `python scripts/bundle_li3ps4.py gamma16.extxyz gamma32.extxyz …` writes it and its splits."""

import gzip
import json
import sys
from io import StringIO
from pathlib import Path

from ase.io import read, write

FOLDER = Path(__file__).parents[1] / "mlff" / "data" / "bundled"
# Whole trajectories are held out, by number and temperature, so that a frame's part never changes as the set grows.
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
    """ "train", "val" or "test" of a frame, from the number at the end of its trajectory's name."""
    number = int(info["trajectory"].rsplit("-", 1)[1])
    return HELD_OUT.get((info["structure"], number), {}).get(int(info["temperature"]), "train")


def main(files: list[str]) -> None:
    frames = [frame for file in files for frame in read(file, index=":")]
    splits = {name: [i for i, frame in enumerate(frames) if part(frame.info) == name] for name in ("train", "val", "test")}
    text = StringIO()
    write(text, frames, format="extxyz")
    # mtime 0: the same frames make the same file
    (FOLDER / "li3ps4.extxyz.gz").write_bytes(gzip.compress(text.getvalue().encode(), mtime=0))
    (FOLDER / "li3ps4_splits.json").write_text(json.dumps(splits) + "\n")
    print({name: len(indices) for name, indices in splits.items()})


if __name__ == "__main__":
    main(sys.argv[1:])
