"""Pairs of frames of one run that lie close to each other: a search that no further frame makes worse, at a bounded cost."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from mlff.data.displacements import displacement, fractional
from mlff.data.frame import Frame

MAX_FRAMES = 400  # compared each with each
GOLDEN = 0.6180339887  # its multiples modulo 1 fill the run evenly, however many are taken
SAME = 1e-4  # Å; the frame itself, or its copy: no difference to compare


def frame_distances(i: int, places: np.ndarray, cells: np.ndarray, pbc: np.ndarray) -> np.ndarray:
    """RMS displacement per atom from frame i to each, with a change of the cell counted as far as it moves atoms; (n_frames,), Å.

    places: `fractional` of each frame, (n_frames, n_atoms, 3). cells: (n_frames, 3, 3), Å.
    """
    from ase.geometry import complete_cell

    shift = displacement(places[i], places, pbc)
    if pbc.any():
        shift = shift @ complete_cell(cells[i])
    strained = np.linalg.norm(cells - cells[i], axis=(1, 2)) / 4
    return np.sqrt(np.square(shift).sum(axis=2).mean(axis=1) + strained**2)


def candidates(frames: Sequence[Frame], members: Sequence[int]) -> list[int]:
    """All `members` (positions in `frames`, in order of time), or of a long run the closest neighbours in each stretch of it."""
    if len(members) <= MAX_FRAMES:
        return list(members)
    steps = [float(frame_distances(0, *_stacked(pair))[1]) for pair in itertools.pairwise(frames[k] for k in members)]
    distances = np.where(np.array(steps) < SAME, np.inf, steps)
    stretches = np.array_split(np.arange(len(distances)), MAX_FRAMES // 2)
    first = {int(stretch[np.argmin(distances[stretch])]) for stretch in stretches}
    return [members[k] for k in sorted(first | {k + 1 for k in first})]


def close_pairs(frames: Sequence[Frame], furthest: float, n_wanted: int, n_distances: float) -> list[tuple[int, int]]:
    """Pairs (i < j) of `frames`, which all hold the same atoms in order, closer than `furthest`, Å; sorted.

    Frames are taken one after the other, spread over the run, each with its nearest one, until `n_wanted` pairs are found. Where the
    nearest ones are fewer, further close pairs are added, the closest first: all there are, up to `n_wanted`.

    n_distances: of atoms; after about as many (but not before `n_wanted` frames) the search ends.
    """
    stacked = _stacked(frames)
    n_rows = max(n_wanted, int(n_distances / (len(frames) * len(frames[0]))))
    nearest: set[tuple[int, int]] = set()
    close: dict[tuple[int, int], float] = {}
    for i in np.argsort(np.arange(len(frames)) * GOLDEN % 1)[:n_rows].tolist():
        distances = frame_distances(i, *stacked)
        distances[distances < SAME] = np.inf
        for j in np.flatnonzero(distances < furthest).tolist():
            close[min(i, j), max(i, j)] = distances[j]
        if distances.min() < furthest:
            j = int(distances.argmin())
            nearest.add((min(i, j), max(i, j)))
        if len(nearest) >= n_wanted:
            break
    further = sorted((distance, pair) for pair, distance in close.items() if pair not in nearest)
    return sorted(nearest | {pair for _, pair in further[: max(0, n_wanted - len(nearest))]})


def _stacked(frames: Sequence[Frame]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.stack([fractional(frame) for frame in frames]), np.stack([frame.cell for frame in frames]), frames[0].pbc
