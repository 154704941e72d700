"""Draws of whole groups of rows, for errors of rows that are not independent."""

from collections.abc import Iterator

import numpy as np

DRAWS = 200


def draws(groups: np.ndarray, rng: np.random.Generator, times: int = DRAWS) -> Iterator[np.ndarray]:
    """Row numbers of as many groups as there are, drawn with replacement, again and again. groups: (n,), any labels."""
    groups = np.unique(groups, return_inverse=True)[1].reshape(-1)
    members = np.split(np.argsort(groups, kind="stable"), np.cumsum(np.bincount(groups))[:-1])
    for _ in range(times):
        yield np.concatenate([members[k] for k in rng.integers(len(members), size=len(members))])
