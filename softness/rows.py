"""Samples of structure and of the motion that followed it, and the extreme ones of them, by which a plane is fitted."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

FEWEST = 20  # particles of a class, below which a plane tells of these particles alone


@dataclass(frozen=True)
class Samples:
    """One particle's structure and how it moved after it, in each.

    features: (n, n_features). motion: (n,), Å². particles: (n,) int64, the particle's number. trajectories: (n,) int64, or names.
    structures: the same, of what the trajectories are of: those of one glass at several temperatures have particles in common.
    at: (n,) int64, the last frame that the structure is taken from. begins, ends: (n,) int64, first and last frame of the motion.
    """

    features: np.ndarray
    motion: np.ndarray
    particles: np.ndarray
    trajectories: np.ndarray
    structures: np.ndarray
    at: np.ndarray
    begins: np.ndarray
    ends: np.ndarray

    def __post_init__(self) -> None:
        lengths = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"found arrays of the lengths {lengths}, expected one length")
        if (late := self.at >= self.begins).any():
            k = int(np.flatnonzero(late)[0])
            raise ValueError(
                f"found structure of frame {self.at[k]} for motion that begins in frame {self.begins[k]}, expected structure from before: "
                "otherwise the plane learns what a rearrangement looks like, not what precedes it"
            )

    def __len__(self) -> int:
        return len(self.motion)

    @property
    def groups(self) -> np.ndarray:
        """(n,) int64: the same for samples of one particle of one structure, which are not independent."""
        return np.unique(np.stack([_numbered(self.structures), self.particles], axis=1), axis=0, return_inverse=True)[1].reshape(-1)

    def __getitem__(self, which: np.ndarray) -> Self:
        return replace(self, **{field.name: getattr(self, field.name)[which] for field in fields(self)})

    def later(self, frames: int) -> Self:
        """The same, of a part of a trajectory that begins so many frames after its first."""
        return replace(self, **{name: getattr(self, name) + frames for name in ("at", "begins", "ends")})

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        return cls(**{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)})

    def extremes(self, percent: float) -> "Rows":
        """The `percent` % that moved most as mobile, and as many that moved least as immobile; what has no motion (NaN) is left out.

        Raises:
            ValueError: percent not in 0 to 50, or too few samples for one of each.
        """
        known = np.flatnonzero(np.isfinite(self.motion))
        n = int(len(known) * percent / 100)
        if not 0 < percent <= 50 or n < 1:
            raise ValueError(
                f"found {percent} % of {len(known)} samples with a motion, expected 0 < percent ≤ 50 and at least one sample at each end"
            )
        order = known[np.argsort(self.motion[known], kind="stable")]
        chosen = np.concatenate([order[:n], order[-n:]])
        samples = self[np.sort(chosen)]
        return Rows(
            **{field.name: getattr(samples, field.name) for field in fields(Samples)},
            mobile=np.isin(np.sort(chosen), order[-n:]),
        )


@dataclass(frozen=True)
class Rows(Samples):
    """Samples of two classes. mobile: (n,) bool.

    Raises:
        ValueError: two rows of a particle and class whose motion is, in part, the same.
    """

    mobile: np.ndarray

    def __post_init__(self) -> None:
        super().__post_init__()
        trajectories = _numbered(self.trajectories)
        order = np.lexsort((self.begins, self.mobile, self.particles, trajectories))
        keys = np.stack([trajectories, self.particles, self.mobile], axis=1)[order]
        overlap = (keys[1:] == keys[:-1]).all(axis=1) & (self.begins[order][1:] <= self.ends[order][:-1] - 1)
        if overlap.any():
            k = int(np.flatnonzero(overlap)[0])
            first, second = order[k], order[k + 1]
            raise ValueError(
                f"found rows of particle {self.particles[first]} for frames {self.begins[first]} to {self.ends[first]} and "
                f"{self.begins[second]} to {self.ends[second]}, expected one row for each rearrangement: the same motion counted twice "
                "makes any plane look certain; set windows further apart"
            )

    def expect_many(self, fewest: int = FEWEST) -> None:
        """Raises: ValueError: a class is of fewer distinct particles than `fewest`."""
        for name, chosen in (("mobile", self.mobile), ("immobile", ~self.mobile)):
            found = len(np.unique(self.groups[chosen]))
            if found < fewest:
                raise ValueError(
                    f"found {found} distinct particles among {int(chosen.sum())} {name} rows, expected at least {fewest}: the plane would "
                    "describe these particles; take a larger system, more trajectories or a larger share"
                )


def expect_separate(train: Samples, test: Samples) -> None:
    """Raises: ValueError: a trajectory, or a structure, is in both, whose particles know each other."""
    for word in ("trajectories", "structures"):
        if len(shared := np.intersect1d(getattr(train, word), getattr(test, word))):
            raise ValueError(
                f"found the {word} {', '.join(map(str, shared))} in training and in test, expected separate ones: rows of one structure "
                "are alike, and a test on them flatters; keep all that is of one structure on one side"
            )


def _numbered(names: np.ndarray) -> np.ndarray:
    return np.unique(names, return_inverse=True)[1].reshape(-1)
