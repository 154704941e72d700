"""Do test frames lie next to training frames, in time or in their forces?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from mlff.data.displacements import trajectories
from mlff.data.frame import Frame

TWIN_COSINE, MIN_ATOMS = 0.8, 16  # forces of two independent frames of 16 atoms reach 0.6 at most


def adjacent_fraction(frames: Sequence[Frame], train: np.ndarray, test: np.ndarray) -> float:
    """Fraction of the test frames whose predecessor or successor in their own run is a training frame."""
    training, testing = set(train.tolist()), set(test.tolist())
    touching = 0
    for members in trajectories(frames).values():
        for k, member in enumerate(members):
            if member in testing:
                around = members[max(0, k - 1) : k] + members[k + 1 : k + 2]
                touching += any(one in training for one in around)
    return touching / max(len(testing), 1)


def twin_fraction(frames: Sequence[Frame], train: np.ndarray, test: np.ndarray) -> float:
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
