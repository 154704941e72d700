"""The extrapolation grade γ of moment tensor potentials, for features in which a model's energy is linear.

γ(b) = max_j |(b A⁻¹)_j|, A the active set: the training atoms that span the largest volume. The energy of an atom with features
b = Σ_j c_j A_j is Σ_j c_j E(A_j), so that γ ≤ 1 interpolates between active atoms, and a larger γ multiplies what is not known of them.
Podryabinkin and Shapeev, Comput. Mater. Sci. 140, 171 (2017); Novikov et al., Mach. Learn.: Sci. Technol. 2, 025002 (2021).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlff.uncertainty.levels import Levels
from mlff.uncertainty.maxvol import maxvol

SAVE = 2.0  # a frame above is worth a label
BREAK = 10.0  # a frame above ends its trajectory
GRADE_LEVELS = Levels(SAVE, BREAK)
# Learned features have singular values without a gap down to rounding. With this share, γ of a lean2 on Li3PS4 ranked the errors of
# test atoms best (Spearman 0.63 for Li, 0.68 for P and S); with 1e-6 (0.59, 0.51) every test frame had an atom above 10.
RESOLUTION = 1e-3


@dataclass(frozen=True)
class ActiveSet:
    """Of one centre species. γ of features b is the largest component of |b · inverse|.

    inverse: (n_features, n_features). selected: the rows of the features that form A, as many as these have independent directions.
    """

    inverse: np.ndarray
    selected: np.ndarray

    def grade(self, features: np.ndarray) -> np.ndarray:
        """γ of each atom, (n,), from its features, (n, n_features)."""
        features = np.asarray(features, np.float64)
        if features.ndim != 2 or features.shape[1] != len(self.inverse):
            raise ValueError(
                f"features have shape {features.shape}, expected (n, {len(self.inverse)}); use those of the model the set was made for"
            )
        return np.abs(features @ self.inverse).max(1, initial=0.0)


def select_active_set(features: np.ndarray, *, resolution: float = RESOLUTION, tolerance: float = 1e-3) -> ActiveSet:
    """Chooses the active set among the atoms of one species; none of them has γ > 1 + tolerance.

    Directions in which the features hardly vary (fewer atoms than features, features that depend on each other) do not enter A: it would
    be chosen by noise. In each of them γ is the part of b over the largest part that occurs, or over `resolution` times the largest b
    where that is more, so that an atom with a part in a direction never seen is far outside.

    Args:
        features: (n, n_features), of any scale each.
        resolution: share of the largest singular value, and of the largest b, below which a direction hardly varies.
        tolerance: on the largest coefficient, see `maxvol`.
    """
    features = np.asarray(features, np.float64)
    if features.ndim != 2 or not features.size or not np.isfinite(features).all() or not features.any():
        raise ValueError(
            f"features have shape {features.shape}, expected (n, n_features), finite and not all 0; leave out frames that failed"
        )
    size = np.abs(features).max(0)
    size[size == 0] = size.max()  # a feature that is always 0 keeps its unit; an atom that has it is new
    scaled = features / size
    squares, directions = np.linalg.eigh(scaled.T @ scaled)  # of the singular values; far cheaper than these for many atoms
    rank = int((squares > resolution**2 * squares[-1]).sum())
    varied, still = directions[:, -rank:], directions[:, :-rank]
    coordinates = scaled @ varied
    selected, _ = maxvol(coordinates, tolerance)
    limits = np.maximum(np.abs(scaled @ still).max(0, initial=0.0), resolution * np.linalg.norm(scaled, axis=1).max())
    return ActiveSet(np.hstack([varied @ np.linalg.inv(coordinates[selected]), still / limits]) / size[:, None], selected)


@dataclass(frozen=True)
class ExtrapolationGrade:
    """One active set per centre species, by chemical symbol."""

    sets: Mapping[str, ActiveSet]

    @classmethod
    def fit(cls, features: np.ndarray, symbols: np.ndarray, *, resolution: float = RESOLUTION) -> "ExtrapolationGrade":
        """From training atoms: features (n, n_features); symbols (n,), of the centres; resolution as of `select_active_set`."""
        features, symbols = np.asarray(features, np.float64), np.asarray(symbols)
        _paired(features, symbols)
        return cls({s: select_active_set(features[symbols == s], resolution=resolution) for s in np.unique(symbols).tolist()})

    def __call__(self, features: np.ndarray, symbols: np.ndarray) -> np.ndarray:
        """γ of each atom, (n,); of a frame, take the largest."""
        features, symbols = np.asarray(features, np.float64), np.asarray(symbols)
        _paired(features, symbols)
        if unknown := sorted(set(symbols.tolist()) - set(self.sets)):
            raise ValueError(f"found atoms of {unknown}, but active sets of {sorted(self.sets)} only; select again with such atoms")
        grades = np.zeros(len(symbols))
        for symbol, active in self.sets.items():
            grades[symbols == symbol] = active.grade(features[symbols == symbol])
        return grades

    def to_tensors(self) -> dict[str, np.ndarray]:
        """Plain arrays by name, for a file of tensors; `from_tensors` is the inverse."""
        return {f"{symbol}.{name}": getattr(s, name) for symbol, s in self.sets.items() for name in ("inverse", "selected")}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, np.ndarray]) -> "ExtrapolationGrade":
        symbols = dict.fromkeys(name.partition(".")[0] for name in tensors)
        return cls({s: ActiveSet(np.asarray(tensors[f"{s}.inverse"]), np.asarray(tensors[f"{s}.selected"])) for s in symbols})


def _paired(features: np.ndarray, symbols: np.ndarray) -> None:
    if features.ndim != 2 or symbols.shape != (len(features),):
        raise ValueError(f"features have shape {features.shape} and symbols {symbols.shape}, expected (n, n_features) and (n,)")
