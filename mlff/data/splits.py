"""Training, validation and test frames apart in time, temperature, composition or file, so that a test error means something.

Frames of one MD run a few steps apart are nearly the same structure: spread at random over training and test, they measure memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mlff.data.blocks import block_split, smallest_run
from mlff.data.displacements import trajectories
from mlff.data.frame import Frame
from mlff.data.given_split import given_split
from mlff.data.groups import GROUP_OF, group_split
from mlff.data.leaks import adjacent_fraction, twin_fraction
from mlff.data.parts import PARTS, Splits, plural, wanted_parts
from mlff.data.statistics import ISOLATED

KINDS = ("trajectory_block", "temperature", "composition", "file", "given", "random")
USUAL = (0.8, 0.1, 0.1)
LEAK_FRACTION = 0.1  # of the test frames; below it the test error is hardly touched


def split_frames(
    frames: Sequence[Frame],
    kind: str = "trajectory_block",
    *,
    fractions: tuple[float, float, float] = USUAL,
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
        kind: "trajectory_block" (each run in contiguous blocks, `guard` frames dropped wherever two parts touch; short runs go whole,
            or, where there are too few of them, are cut too), "temperature", "composition", "file" (whole groups), "given" (indices from
            a JSON file, or the frames' own key), or "random" (leaks; on request only).
            Isolated atoms always go to training, unless "given" says otherwise.
        fractions: of training, validation and test frames; of groups as nearly as they allow.
        guard: frames left out between parts of one run.
        val, test: for the group kinds, which temperatures (K), formulas ("Li20Ge2P4S24") or files to hold out; () chooses by `seed`.
        splits: for "given": the file, or its content. Either {"train": [...], "val": [...], "test": [...]} with indices into the frames
            of one file, or with {file or system folder: [indices]} in place of each list; both may stand under a name.
            None: each frame's info["split"] says "train", "val" or "test"; frames without it are left out.
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
    drawn: list[Frame] = []
    if kind == "given":
        parts, text = given_split(frames, splits, name, train_key)
    else:
        isolated = np.array([frame.info.get("config_type") == ISOLATED for frame in frames], dtype=bool)
        others = np.flatnonzero(~isolated)
        drawn = [frames[k] for k in others]
        if kind == "random":
            ends = np.round(np.cumsum(fractions)[:2] * len(drawn)).astype(int)
            parts = dict(zip(PARTS, np.split(rng.permutation(len(drawn)), ends), strict=True))
            text = f"at random over all frames (seed {seed})"
        elif kind == "trajectory_block":
            parts, text = block_split(drawn, fractions, guard, rng)
        else:
            parts, text = group_split(drawn, kind, fractions, val, test, rng)
        parts = {part: others[np.asarray(members, dtype=int)] for part, members in parts.items()}
        # an isolated atom fixes E0 and tests nothing
        parts["train"] = np.concatenate([parts["train"], np.flatnonzero(isolated)])
    result = {part: np.sort(np.asarray(parts[part], dtype=np.int64)) for part in PARTS}
    for part in PARTS if kind == "given" else wanted_parts(fractions):
        if not len(result[part]):
            why = _why_empty(drawn, kind, fractions, guard, bool(val or test))
            raise ValueError(f"the {part} part of the {kind} split is empty: {why}")
    touching = adjacent_fraction(frames, result["train"], result["test"])
    twins = twin_fraction(frames, result["train"], result["test"])
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
    between = " between parts" if kind == "trajectory_block" else ""
    left = f" ({plural(unused, 'frame')}{between} left out)" if unused else ""
    return Splits(**result, kind=kind, leaks=bool(reasons), description=f"{kind}: {text}; train / val / test {sizes}{left}{warning}")


def _why_empty(frames: Sequence[Frame], kind: str, fractions: Sequence[float], guard: int, named: bool) -> str:
    """What was found and what would do; `frames` without the isolated atoms."""
    if kind == "given":
        return "nothing stands in it; name at least one frame"
    n_parts = len(wanted_parts(fractions))
    if kind == "random":
        return f"found {plural(len(frames), 'frame')} for fractions {tuple(fractions)}; give more, or a larger data.split.fractions"
    if kind in GROUP_OF:
        n = len({GROUP_OF[kind](frame) for frame in frames})
        found = f"found {plural(n, kind)} in {plural(len(frames), 'frame')}"
        if n >= n_parts:
            remedy = "name fewer of them" if named else "give it a larger fraction (data.split.fractions)"
            return f"{found}, none of which is left for it; {remedy}"
        return f"{found}, needs at least {n_parts} {kind}s to hold out whole ones; {_other_kinds(frames, kind, fractions, guard)}"
    lengths = [len(members) for members in trajectories(frames).values()]
    longest = max(lengths, default=0)
    least = smallest_run(fractions, guard)
    remedies = [f"give a trajectory of at least {least} frames or {n_parts} trajectories"]
    for setting, shares, gap in (("guard=0", fractions, 0), (f"fractions={list(USUAL)}", USUAL, guard)):
        if smallest_run(shares, gap) < least and smallest_run(shares, gap) <= longest:
            remedies.append(f"set data.split.{setting} (enough from {smallest_run(shares, gap)} frames on)")
    remedies.append(_other_kinds(frames, kind, fractions, guard))
    return (
        f"found {plural(len(frames), 'frame')} in {plural(len(lengths), 'trajectory', 'trajectories')} "
        f"(the longest has {longest}), fractions {tuple(fractions)}, guard {guard}; {', or '.join(remedies)}"
    )


def _other_kinds(frames: Sequence[Frame], kind: str, fractions: Sequence[float], guard: int) -> str:
    """The kinds that these frames allow."""
    n_parts = len(wanted_parts(fractions))
    found = []
    if kind != "trajectory_block":
        lengths = [len(members) for members in trajectories(frames).values()]
        if len(lengths) >= n_parts or max(lengths, default=0) >= smallest_run(fractions, guard):
            found.append("trajectory_block")
    for other, group_of in GROUP_OF.items():
        groups = {group_of(frame) for frame in frames}
        if other != kind and None not in groups and len(groups) >= n_parts:
            found.append(f"{other} (there are {len(groups)})")
    return f"choose another kind (data/split={', '.join([*found, 'given'])}, or random, which leaks)"
