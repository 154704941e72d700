"""Runs cut into contiguous blocks with a gap wherever two parts touch, or kept whole where they are short."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from mlff.data.displacements import trajectories
from mlff.data.frame import Frame
from mlff.data.parts import PARTS, assign_whole, plural, wanted_parts
from mlff.data.statistics import formula

N_BLOCKS = 10
MIN_BLOCK = 5  # frames; a trajectory too short for such blocks goes whole into one part
MIN_PART = 3  # frames of a part where a short trajectory must be cut after all


def smallest_run(fractions: Sequence[float], guard: int) -> int:
    """Frames of the shortest trajectory that can be cut into the wanted parts, each of MIN_PART or more.

    Raises:
        ValueError: no fraction is left for training.
    """
    if fractions[0] <= 0:
        raise ValueError(f"fractions are {tuple(fractions)}, which leaves training nothing; give it a fraction, say (0.8, 0.1, 0.1)")
    return next(n for n in itertools.count(1) if _fits(n, fractions, guard))


def block_split(
    frames: Sequence[Frame], fractions: Sequence[float], guard: int, rng: np.random.Generator
) -> tuple[dict[str, list[int]], str]:
    """Part → positions in `frames`, and how they were chosen.

    Long trajectories are cut, short ones go whole, every composition divided by itself. Where that leaves a part empty, short
    trajectories are cut too (MIN_PART frames in each part), and where none is long enough, whole ones are divided whatever they hold.
    """
    runs = list(trajectories(frames).values())
    for cut, by_composition in ((_is_long, True), (_fits, True), (_fits, False)):
        parts, text = _divide(frames, runs, fractions, guard, rng, cut, by_composition)
        if all(parts[part] for part in wanted_parts(fractions)):
            break
    return parts, text


def _is_long(n: int, fractions: Sequence[float], guard: int) -> bool:
    return n >= N_BLOCKS * MIN_BLOCK


def _fits(n: int, fractions: Sequence[float], guard: int) -> bool:
    """Whether n frames hold the held-out blocks, a gap on both sides of each, and MIN_PART training frames."""
    sizes = _block_sizes(n, fractions)
    return n >= sum(sizes) + 2 * guard * sum(size > 0 for size in sizes) + MIN_PART


def _block_sizes(n: int, fractions: Sequence[float]) -> list[int]:
    """Frames of the val and the test block."""
    return [max(MIN_PART if f > 0 and n < N_BLOCKS * MIN_BLOCK else 0, round(f * n)) for f in fractions[1:]]


def _divide(frames, runs, fractions, guard: int, rng: np.random.Generator, cut, by_composition: bool):
    parts: dict[str, list[int]] = {part: [] for part in PARTS}
    whole: dict[str, list[list[int]]] = defaultdict(list)
    n_cut = 0
    for members in runs:
        if cut(len(members), fractions, guard):
            n_cut += 1
            for part, chosen in _cut(members, fractions, guard, rng).items():
                parts[part] += chosen
        else:
            whole[formula(frames[members[0]]) if by_composition else ""].append(members)
    for some in whole.values():
        for part, chosen in zip(PARTS, assign_whole([len(run) for run in some], fractions, rng), strict=True):
            parts[part] += [member for k in chosen for member in some[k]]
    n_whole = sum(map(len, whole.values()))
    texts = []
    if n_cut:
        texts.append(f"contiguous blocks of {plural(n_cut, 'run')} with a gap of {plural(guard, 'frame')}")
    if n_whole:
        texts.append(f"{plural(n_whole, 'short run')} kept whole")
    return parts, " and ".join(texts)


def _cut(members: Sequence[int], fractions: Sequence[float], guard: int, rng: np.random.Generator) -> dict[str, list[int]]:
    """One run: a block for val and one for test, the rest for training, without the gaps."""
    label = np.zeros(len(members), dtype=int)
    sizes = _block_sizes(len(members), fractions)
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
    return {part: [member for k, member in enumerate(members) if keep[k] and label[k] == number] for number, part in enumerate(PARTS)}


def _disjoint_starts(n: int, sizes: list[int], guard: int, rng: np.random.Generator) -> list[int]:
    """Starts of the held-out blocks: random, apart from each other by more than the guard."""
    free = n - sum(sizes) - 2 * guard
    first, second = np.sort(rng.integers(0, max(free, 0) + 1, size=2))
    order = rng.permutation(2)
    starts = [0, 0]
    starts[order[0]] = int(first)
    starts[order[1]] = int(second) + sizes[order[0]] + guard
    return starts
