"""Whole groups of one temperature, composition or file held out."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath

import numpy as np

from mlff.data.frame import Frame
from mlff.data.parts import PARTS, assign_whole
from mlff.data.statistics import formula

GROUP_OF: dict[str, Callable[[Frame], object]] = {
    "temperature": lambda frame: frame.info.get("temperature"),
    "composition": formula,
    "file": lambda frame: frame.source,
}


def group_split(
    frames: Sequence[Frame],
    kind: str,
    fractions: Sequence[float],
    val: Sequence[object],
    test: Sequence[object],
    rng: np.random.Generator,
) -> tuple[dict[str, list[int]], str]:
    """Part → positions in `frames`, and which groups were held out.

    Raises:
        ValueError: a frame without a temperature, or a named group that does not exist, is ambiguous or stands in two parts.
    """
    groups: dict[object, list[int]] = defaultdict(list)
    for k, frame in enumerate(frames):
        groups[GROUP_OF[kind](frame)].append(k)
    if None in groups:
        raise ValueError(
            f"{frames[groups[None][0]].where} states no temperature (and {len(groups[None]) - 1} more frames do not); "
            "write `temperature` (K) to the frames, or split by trajectory_block"
        )
    keys = sorted(groups)
    held = {"val": [_find(key, keys, kind) for key in val], "test": [_find(key, keys, kind) for key in test]}
    if both := set(held["val"]) & set(held["test"]):
        raise ValueError(f"{kind} {sorted(both)} stands in val and in test; name it once")
    if not val and not test:
        chosen = assign_whole([len(groups[key]) for key in keys], fractions, rng)
        held = {part: [keys[k] for k in members] for part, members in zip(PARTS, chosen, strict=True)}
    elif not val or not test:
        # the part that was not named is drawn from what is left
        part = "val" if not val else "test"
        left = [key for key in keys if key not in held["val"] + held["test"]]
        share = fractions[PARTS.index(part)] / max(fractions[0] + fractions[PARTS.index(part)], 1e-12)
        chosen = assign_whole([len(groups[key]) for key in left], (1 - share, share, 0.0), rng)
        held[part] = [left[k] for k in chosen[1]]
    held["train"] = [key for key in keys if key not in held["val"] + held["test"]]
    parts = {part: [k for key in held[part] for k in groups[key]] for part in PARTS}
    short = shortened([str(key) for key in keys]) if kind == "file" else {str(key): str(key) for key in keys}
    shown = {part: ", ".join(short[str(key)] for key in held[part][:6]) for part in ("val", "test")}
    return parts, f"whole groups of equal {kind}, val: {shown['val'] or 'none'}, test: {shown['test'] or 'none'}"


def shortened(paths: Sequence[str]) -> dict[str, str]:
    """Each path as seen from the folder that holds them all: VASP's runs share the file name and differ in the folder."""
    if len(paths) == 1:
        return {paths[0]: Path(paths[0]).name}
    folders = {str(PurePath(path).parent) for path in paths}
    common = os.path.commonpath(folders) if len({PurePath(folder).is_absolute() for folder in folders}) == 1 else ""
    return {path: os.path.relpath(path, common or ".") for path in paths}


def is_file_named(source: str, name: object) -> bool:
    """Whether `name` is the end of the path `source`, by whole folders: "a.extxyz" and "run1/a.extxyz" of data/run1/a.extxyz."""
    end = PurePath(str(name)).parts
    return bool(end) and PurePath(source).parts[-len(end) :] == end


def _find(key: object, keys: Sequence[object], kind: str) -> object:
    if key in keys:
        return keys[keys.index(key)]  # 900 of the command line is the frames' 900.0
    if kind == "file":
        found = [known for known in keys if is_file_named(str(known), key)]
        if len(found) > 1:
            raise ValueError(f"{len(found)} files are called {key} ({', '.join(map(str, found[:3]))}); name the folder too")
    else:
        found = [known for known in keys if kind == "temperature" and float(str(known)) == float(str(key))]
    if not found:
        raise ValueError(f"no frame has {kind} {key}; found {', '.join(map(str, keys[:20]))}: choose among these")
    return found[0]
