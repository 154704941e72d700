"""A split that somebody chose: lists of indices in a JSON file, or the frames' own key `split`."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlff.data.frame import Frame
from mlff.data.groups import is_file_named
from mlff.data.parts import PARTS, plural
from mlff.data.statistics import ISOLATED

FORM = '{"train": [0, 1, …], "val": […], "test": […]}'


def given_split(
    frames: Sequence[Frame], splits: str | Path | Mapping | None, name: str | None, train_key: str
) -> tuple[dict[str, list[int]], str]:
    """Part → positions in `frames`, and where they were listed.

    Raises:
        ValueError: no split is given, a part is missing, an index fits no frame or several, or a frame stands in two parts.
    """
    if splits is None:
        return _own_keys(frames, train_key)
    where = "splits" if isinstance(splits, Mapping) else str(splits)
    if isinstance(splits, Mapping):
        content = splits
    else:
        path = Path(splits)
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file of splits; check `splits`, which names a JSON file like {FORM}")
        try:
            content = json.loads(path.read_text())
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}: is no JSON ({error}); correct the file, which looks like {FORM}") from None
        if not isinstance(content, Mapping):
            raise ValueError(f"{path}: holds a {type(content).__name__}, expected lists under names: {FORM}; name them")
    if train_key not in content:
        named = {key: value for key, value in content.items() if isinstance(value, Mapping) and train_key in value}
        if name is None and len(named) == 1:
            name = next(iter(named))
        if name not in named:
            if not named:
                raise ValueError(f"{where}: holds no list {train_key!r}, found {', '.join(content) or 'nothing'}; expected {FORM}")
            raise ValueError(f"{where}: holds the splits {', '.join(named)}, but {name!r} was asked for; choose one with name=")
        content = named[name]
    position: dict[str, dict[int, int]] = defaultdict(dict)
    flat: dict[int, list[int]] = defaultdict(list)
    for k, frame in enumerate(frames):
        position[frame.source][frame.index] = k
        flat[frame.index].append(k)
    parts = {}
    for part in PARTS:
        key = train_key if part == "train" else part
        if key not in content:
            raise ValueError(f"{where}: holds no list {key!r}, found {', '.join(content)}; add it: {FORM}")
        parts[part] = _positions(content[key], position, flat, f"{where}, {key}")
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        if both := set(parts[one]) & set(parts[other]):
            raise ValueError(
                f"{where}: {len(both)} frames stand in {one} and in {other} (first: {frames[min(both)].where}); each may stand in one"
            )
    return parts, f"as listed in {Path(where).name}{f' under {name}' if name else ''}"


def _own_keys(frames: Sequence[Frame], train_key: str) -> tuple[dict[str, list[int]], str]:
    """By info["split"]; isolated atoms without it are for training, other frames without it are left out."""
    names = {train_key: "train", "val": "val", "test": "test"}
    parts: dict[str, list[int]] = {part: [] for part in PARTS}
    n_keyed = 0
    for k, frame in enumerate(frames):
        value = frame.info.get("split")
        if value is None:
            if frame.info.get("config_type") == ISOLATED:
                parts["train"].append(k)
            continue
        if value not in names:
            raise ValueError(f"{frame.where}: its split is {value!r}, expected one of {', '.join(names)}; correct the key")
        n_keyed += 1
        parts[names[value]].append(k)
    if not n_keyed:
        raise ValueError(
            f"a given split needs its parts, but splits is null and none of {plural(len(frames), 'frame')} has the key `split`; "
            f"either write split=train, val or test to each frame, or name a JSON file of indices with splits (data.split.splits=…): {FORM}"
        )
    return parts, "by the frames' own key `split`"


def _positions(listed, position: dict[str, dict[int, int]], flat: dict[int, list[int]], where: str) -> list[int]:
    if isinstance(listed, Mapping):
        wanted = []
        missing = []
        for system, indices in listed.items():
            sources = [source for source in position if is_file_named(source, system)]
            if len(sources) > 1:
                raise ValueError(f"{where}: {len(sources)} files are called {system} ({', '.join(sources[:3])}); name the folder too")
            of = position[sources[0]] if sources else {}
            wanted += [of[int(index)] for index in indices if int(index) in of]
            missing += [(system, int(index)) for index in indices if int(index) not in of]
        if missing:
            raise ValueError(
                f"{where}: frame {missing[0][1]} of {missing[0][0]} is not among the frames read ({len(missing)} missing); read all systems"
            )
        return wanted
    found = []
    for index in map(int, listed):
        if len(flat.get(index, ())) != 1:
            n = len(flat.get(index, ()))
            raise ValueError(
                f"{where}: index {index} fits {n} frames, expected 1; list indices per file ({{file: [indices]}}) or read the one file"
            )
        found.append(flat[index][0])
    return found
