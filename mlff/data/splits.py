"""Training, validation and test frames apart in time, temperature, composition or file, so that a test error means something.

Frames of one MD run a few steps apart are nearly the same structure: spread at random over training and test, they measure memory.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.data import chemical_symbols

from mlff.data.displacements import trajectories
from mlff.data.frame import Frame
from mlff.data.statistics import ISOLATED

KINDS = ("trajectory_block", "temperature", "composition", "file", "given", "random")
PARTS = ("train", "val", "test")
N_BLOCKS = 10
MIN_BLOCK = 5  # frames; a trajectory too short for such blocks goes whole into one part
LEAK_FRACTION = 0.1  # of the test frames; below it the test error is hardly touched
TWIN_COSINE, MIN_ATOMS = 0.8, 16  # forces of two independent frames of 16 atoms reach 0.6 at most


@dataclass(frozen=True)
class Splits:
    """Indices into the frames, sorted. leaks: whether test frames are correlated with training frames; description says why."""

    train: np.ndarray
    val: np.ndarray
    test: np.ndarray
    kind: str
    leaks: bool
    description: str


def split_frames(
    frames: Sequence[Frame],
    kind: str = "trajectory_block",
    *,
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
    guard: int = 1,
    val: Sequence[object] = (),
    test: Sequence[object] = (),
    splits: str | Path | Mapping | None = None,
    name: str | None = None,
    train_key: str = "train",
    seed: int = 0,
) -> Splits:
    """Divide the frames.

    Args:
        kind: "trajectory_block" (each run in contiguous blocks, `guard` frames dropped wherever two parts touch; short runs go whole),
            "temperature", "composition", "file" (whole groups), "given" (indices from a JSON file), or "random" (leaks; on request only).
            Isolated atoms always go to training, unless "given" says otherwise.
        fractions: of training, validation and test frames; of groups as nearly as they allow.
        guard: frames left out between parts of one run.
        val, test: for the group kinds, which temperatures (K), formulas ("Li20Ge2P4S24") or files to hold out; () chooses by `seed`.
        splits: for "given": the file, or its content. Either {"train": [...], "val": [...], "test": [...]} with indices into the frames
            of one file, or with {system folder: [indices]} in place of each list; both may stand under a name.
        name: for "given", which named split of the file. train_key: which list is the training set (say "train_300").
        seed: everything that is chosen is chosen by it.

    Raises:
        ValueError: an unknown kind, a group that does not exist, indices beyond the frames, or an empty part; with the remedy.
    """
    rng = np.random.default_rng(seed)
    if kind not in KINDS:
        raise ValueError(f"split kind {kind!r} is unknown; choose one of {', '.join(KINDS)}")
    if len(fractions) != 3 or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-6:
        raise ValueError(f"fractions are {tuple(fractions)}, expected three numbers ≥ 0 (train, val, test) that add up to 1")
    if kind == "given":
        parts, text = _given(frames, splits, name, train_key)
    else:
        isolated = np.array([frame.info.get("config_type") == ISOLATED for frame in frames], dtype=bool)
        others = np.flatnonzero(~isolated)
        drawn = [frames[k] for k in others]
        if kind == "random":
            ends = np.round(np.cumsum(fractions)[:2] * len(drawn)).astype(int)
            parts = dict(zip(PARTS, np.split(rng.permutation(len(drawn)), ends), strict=True))
            text = f"at random over all frames (seed {seed})"
        elif kind == "trajectory_block":
            parts, text = _blocks(drawn, fractions, guard, rng)
        else:
            parts, text = _groups(drawn, kind, fractions, val, test, rng)
        parts = {part: others[np.asarray(members, dtype=int)] for part, members in parts.items()}
        # an isolated atom fixes E0 and tests nothing
        parts["train"] = np.concatenate([parts["train"], np.flatnonzero(isolated)])
    result = {part: np.sort(np.asarray(parts[part], dtype=np.int64)) for part in PARTS}
    wanted = PARTS if kind == "given" else [part for part, f in zip(PARTS, fractions, strict=True) if f > 0 or part == "train"]
    for part in wanted:
        if not len(result[part]):
            raise ValueError(
                f"the {part} part of the {kind} split is empty ({len(frames)} frames); "
                "give more frames, a larger fraction, or another kind (file, composition, temperature, trajectory_block)"
            )
    touching = _adjacent(frames, result["train"], result["test"])
    twins = _twins(frames, result["train"], result["test"])
    reasons = []
    if kind == "random":
        reasons.append("frames of one run lie in several parts")
    if kind != "random" and touching > LEAK_FRACTION:
        reasons.append(f"{touching:.0%} of the test frames have a training frame next to them in their run")
    if twins > LEAK_FRACTION:
        reasons.append(f"{twins:.0%} of the test frames have nearly the same forces as a training frame")
    warning = f"; LEAKS: {'; '.join(reasons)}, so the test error is too small for new runs" if reasons else ""
    sizes = " / ".join(str(len(result[part])) for part in PARTS)
    unused = len(frames) - sum(len(result[part]) for part in PARTS)
    left = f" ({unused} frames left out)" if unused else ""
    return Splits(**result, kind=kind, leaks=bool(reasons), description=f"{kind}: {text}; train / val / test {sizes}{left}{warning}")


def formula(frame: Frame) -> str:
    """ "Li20Ge2P4S24": symbols in the order of first appearance."""
    numbers, first = np.unique(frame.numbers, return_index=True)
    return "".join(f"{chemical_symbols[z]}{np.count_nonzero(frame.numbers == z)}" for z in numbers[np.argsort(first)])


def _blocks(frames: Sequence[Frame], fractions: tuple[float, float, float], guard: int, rng: np.random.Generator):
    """Contiguous blocks of long runs, whole short runs; every composition is divided by itself."""
    parts: dict[str, list[int]] = {part: [] for part in PARTS}
    short: dict[str, list[list[int]]] = defaultdict(list)
    n_long = 0
    for members in trajectories(frames).values():
        if len(members) < N_BLOCKS * MIN_BLOCK:
            short[formula(frames[members[0]])].append(members)
            continue
        n_long += 1
        label = np.zeros(len(members), dtype=int)
        sizes = [round(f * len(members)) for f in fractions[1:]]
        # the held-out blocks lie anywhere in the run: its end is not its middle
        starts = _disjoint_starts(len(members), sizes, guard, rng)
        for part, start, size in zip((1, 2), starts, sizes, strict=True):
            label[start : start + size] = part
        keep = np.ones(len(members), dtype=bool)
        for edge in np.flatnonzero(np.diff(label)) + 1:
            left, right = label[edge - 1], label[edge]
            # the larger part pays for the gap, which is training wherever it takes part
            if left <= right:
                keep[max(0, edge - guard) : edge] = False
            else:
                keep[edge : edge + guard] = False
        for k, member in enumerate(members):
            if keep[k]:
                parts[PARTS[label[k]]].append(member)
    n_short = 0
    for runs in short.values():
        n_short += len(runs)
        for part, chosen in zip(PARTS, _assign([len(run) for run in runs], fractions, rng), strict=True):
            parts[part] += [member for k in chosen for member in runs[k]]
    text = f"contiguous blocks of {n_long} runs with a gap of {guard} frames" if n_long else ""
    if n_short:
        text += f"{' and ' if text else ''}{n_short} short runs kept whole"
    return parts, text


def _disjoint_starts(n: int, sizes: list[int], guard: int, rng: np.random.Generator) -> list[int]:
    """Starts of the held-out blocks: random, apart from each other by more than the guard."""
    free = n - sum(sizes) - 2 * guard
    first, second = np.sort(rng.integers(0, max(free, 0) + 1, size=2))
    order = rng.permutation(2)
    starts = [0, 0]
    starts[order[0]] = int(first)
    starts[order[1]] = int(second) + sizes[order[0]] + guard
    return starts


def _assign(sizes: Sequence[int], fractions: Sequence[float], rng: np.random.Generator) -> tuple[list[int], list[int], list[int]]:
    """Whole groups to the three parts, each time to the part that lacks most; every wanted part gets one where there are enough."""
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    filled = np.zeros(3)
    target = np.asarray(fractions, dtype=float) * sum(sizes)
    for k in rng.permutation(len(sizes)):
        part = int(np.argmax(np.where(target > 0, (target - filled) / np.maximum(target, 1e-12) + 1e-9 * target, -np.inf)))
        parts[part].append(int(k))
        filled[part] += sizes[k]
    return parts


def _groups(frames, kind: str, fractions, val: Sequence[object], test: Sequence[object], rng: np.random.Generator):
    of: dict[str, Callable[[Frame], object]] = {
        "temperature": lambda frame: frame.info.get("temperature"),
        "composition": formula,
        "file": lambda frame: frame.source,
    }
    groups: dict[object, list[int]] = defaultdict(list)
    for k, frame in enumerate(frames):
        groups[of[kind](frame)].append(k)
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
        chosen = _assign([len(groups[key]) for key in keys], fractions, rng)
        held = {part: [keys[k] for k in members] for part, members in zip(PARTS, chosen, strict=True)}
    elif not val or not test:
        # the part that was not named is drawn from what is left
        part = "val" if not val else "test"
        left = [key for key in keys if key not in held["val"] + held["test"]]
        share = fractions[PARTS.index(part)] / max(fractions[0] + fractions[PARTS.index(part)], 1e-12)
        chosen = _assign([len(groups[key]) for key in left], (1 - share, share, 0.0), rng)
        held[part] = [left[k] for k in chosen[1]]
    held["train"] = [key for key in keys if key not in held["val"] + held["test"]]
    parts = {part: [k for key in held[part] for k in groups[key]] for part in PARTS}
    shown = {part: ", ".join(str(Path(str(key)).name if kind == "file" else key) for key in held[part][:6]) for part in ("val", "test")}
    return parts, f"whole groups of equal {kind}, val: {shown['val'] or 'none'}, test: {shown['test'] or 'none'}"


def _find(key: object, keys: Sequence[object], kind: str) -> object:
    for known in keys:
        if known == key or (kind == "file" and Path(str(known)).name == str(key)):
            return known
        if kind == "temperature" and float(known) == float(str(key)):
            return known
    raise ValueError(f"no frame has {kind} {key}; found {', '.join(map(str, keys[:20]))}: choose among these")


def _given(frames: Sequence[Frame], splits: str | Path | Mapping | None, name: str | None, train_key: str):
    if splits is None:
        raise ValueError("a given split needs its indices; name the JSON file with splits=")
    where = "splits" if isinstance(splits, Mapping) else str(splits)
    if isinstance(splits, Mapping):
        content = splits
    else:
        path = Path(splits)
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file of splits; check `splits`")
        try:
            content = json.loads(path.read_text())
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}: is no JSON ({error}); correct the file") from None
    if train_key not in content:
        named = {key: value for key, value in content.items() if isinstance(value, Mapping) and train_key in value}
        if name is None and len(named) == 1:
            name = next(iter(named))
        if name not in named:
            raise ValueError(f"{where}: holds the splits {', '.join(named) or 'none'}, but {name!r} was asked for; choose one with name=")
        content = named[name]
    position: dict[tuple[str, int], int] = {}
    flat: dict[int, list[int]] = defaultdict(list)
    for k, frame in enumerate(frames):
        position[Path(frame.source).name, frame.index] = k
        flat[frame.index].append(k)
    parts = {}
    for part in PARTS:
        key = train_key if part == "train" else part
        if key not in content:
            raise ValueError(f"{where}: holds no list {key!r}, found {', '.join(content)}; add it")
        parts[part] = _positions(content[key], position, flat, f"{where}, {key}")
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        if both := set(parts[one]) & set(parts[other]):
            raise ValueError(
                f"{where}: {len(both)} frames stand in {one} and in {other} (first: {frames[min(both)].where}); each may stand in one"
            )
    return parts, f"as listed in {Path(where).name}{f' under {name}' if name else ''}"


def _positions(listed, position: dict[tuple[str, int], int], flat: dict[int, list[int]], where: str) -> list[int]:
    if isinstance(listed, Mapping):
        wanted = [(system, int(index)) for system, indices in listed.items() for index in indices]
        missing = [one for one in wanted if one not in position]
        if missing:
            raise ValueError(
                f"{where}: frame {missing[0][1]} of {missing[0][0]} is not among the frames read ({len(missing)} missing); read all systems"
            )
        return [position[one] for one in wanted]
    found = []
    for index in map(int, listed):
        if len(flat.get(index, ())) != 1:
            n = len(flat.get(index, ()))
            raise ValueError(
                f"{where}: index {index} fits {n} frames, expected 1; list indices per file ({{file: [indices]}}) or read the one file"
            )
        found.append(flat[index][0])
    return found


def _adjacent(frames: Sequence[Frame], train: np.ndarray, test: np.ndarray) -> float:
    """Fraction of the test frames whose predecessor or successor in their own run is a training frame."""
    training, testing = set(train.tolist()), set(test.tolist())
    touching = 0
    for members in trajectories(frames).values():
        for k, member in enumerate(members):
            if member in testing:
                around = members[max(0, k - 1) : k] + members[k + 1 : k + 2]
                touching += any(one in training for one in around)
    return touching / max(len(testing), 1)


def _twins(frames: Sequence[Frame], train: np.ndarray, test: np.ndarray) -> float:
    """Fraction of the test frames to which some training frame of the same atoms has nearly the same forces.

    Forces of two frames a few steps apart point the same way; those of independent frames, even of one cold crystal, do not.
    This needs no order in time, so it also sees shuffled files.
    """
    groups: dict[bytes, dict[str, list[np.ndarray]]] = defaultdict(lambda: {"train": [], "test": []})
    for part, members in (("train", train), ("test", test)):
        for k in members:
            frame = frames[k]
            # in a small cell two directions agree by chance
            if frame.forces is not None and len(frame) >= MIN_ATOMS and (size := np.linalg.norm(frame.forces)) > 0:
                groups[frame.numbers.tobytes()][part].append(frame.forces.ravel() / size)
    twins = 0
    for group in groups.values():
        if group["train"] and group["test"]:
            twins += int(np.sum((np.array(group["test"]) @ np.array(group["train"]).T).max(axis=1) > TWIN_COSINE))
    return twins / max(len(test), 1)
