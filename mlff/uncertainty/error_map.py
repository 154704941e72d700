"""From the deviation of a committee to the error to expect: one factor, or a curve that never falls.

What is fitted is the half-width of the interval that holds 68.27 % of the errors, one standard deviation where they are normal.
Force errors have heavy tails: their root mean square, the factor of largest likelihood, is set by a few large ones, and an interval
of that width holds too many (82 % for Student's t with three degrees of freedom). The quantile of |error| / deviation holds its
share by construction, whatever the tails. It is taken at rank ⌈(n + 1) · 0.6827⌉ as in split conformal prediction, whose coverage
on new errors drawn alike is at least the share (Angelopoulos and Bates, arXiv:2107.07511). The three components of an atom and the
atoms of a frame are not independent: the coverage on new frames scatters as that of fewer samples than are counted.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, erf

import numpy as np
from sklearn.isotonic import IsotonicRegression

SHARE = erf(0.5**0.5)  # 0.6827, of a normal distribution within one standard deviation
LEAST = 100  # error components, below which the share of a fit is uncertain by more than 5 %
PER_BIN = 300  # error components in a bin of the curve: its quantile is uncertain by a twentieth
LEAST_BINS, MOST_BINS = 5, 40  # fewer bins make no curve


class ErrorMap(ABC):
    """σ_c(ε_F): the expected error of one Cartesian component, and the range of ε_F it was fitted on, eV/Å."""

    low: float
    high: float

    @abstractmethod
    def __call__(self, deviation: np.ndarray) -> np.ndarray:
        """σ_c of each atom from its ε_F, (n,) → (n,), eV/Å."""

    @abstractmethod
    def to_json(self) -> dict:
        """Plain numbers, lists and names; `error_map_from_json` is the inverse."""

    def inside(self, deviation: np.ndarray) -> np.ndarray:
        """Whether each ε_F lies in the range fitted on, (n,) bool; outside it σ_c is an extrapolation."""
        deviation = np.asarray(deviation, np.float64)
        return (deviation >= self.low) & (deviation <= self.high)


@dataclass(frozen=True)
class ScaleMap(ErrorMap):
    """σ_c = scale · ε_F/√3. The √3 since ε_F is the length of a vector with three components."""

    scale: float
    low: float
    high: float

    def __call__(self, deviation: np.ndarray) -> np.ndarray:
        return self.scale * np.asarray(deviation, np.float64) / np.sqrt(3)

    def to_json(self) -> dict:
        return {"kind": "scale", "scale": self.scale, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class IsotonicMap(ErrorMap):
    """A curve through (ε_F, σ_c) at `knots` that never falls, straight between them and level beyond the first and the last."""

    knots: tuple[float, ...]
    values: tuple[float, ...]
    low: float
    high: float

    def __call__(self, deviation: np.ndarray) -> np.ndarray:
        return np.interp(np.asarray(deviation, np.float64), self.knots, self.values)

    def to_json(self) -> dict:
        return {"kind": "isotonic", "knots": list(self.knots), "values": list(self.values), "low": self.low, "high": self.high}


def fit_scale(deviation: np.ndarray, errors: np.ndarray) -> ScaleMap:
    """The scale whose interval ±scale · ε_F/√3 holds 68.27 % of the error components.

    Args:
        deviation: ε_F of each atom, (n,), eV/Å. errors: predicted − reference force, (n, 3), eV/Å.
    """
    deviation, errors = _checked(deviation, errors)
    unit = ScaleMap(1.0, float(deviation.min()), float(deviation.max()))
    return ScaleMap(_share_ratio(errors, unit(deviation)), unit.low, unit.high)


def fit_isotonic(deviation: np.ndarray, errors: np.ndarray, *, statistic: str = "quantile") -> IsotonicMap:
    """The curve through bins of equally many atoms, made monotonic by isotonic regression.

    Args:
        deviation, errors: as of `fit_scale`.
        statistic: "quantile", half the width that holds 68.27 % of the errors, then scaled to hold it over all of them; or "rms", the
            root mean square error, for levels in expected error: as an interval it holds more than its share.
    """
    if statistic not in ("quantile", "rms"):
        raise ValueError(f'statistic is {statistic!r}; expected "quantile" or "rms"')
    deviation, errors = _checked(deviation, errors, LEAST_BINS * PER_BIN)
    bins = np.array_split(np.argsort(deviation, kind="stable"), min(errors.size // PER_BIN, MOST_BINS))
    centres = np.array([deviation[chosen].mean() for chosen in bins])
    if statistic == "rms":  # squares are what averages: the regression's least squares then keep their mean
        heights = np.array([np.square(errors[chosen]).mean() for chosen in bins])
    else:
        heights = np.array([np.quantile(np.abs(errors[chosen]), SHARE) for chosen in bins])
    heights = IsotonicRegression().fit_transform(centres, heights, sample_weight=[len(chosen) for chosen in bins])
    if statistic == "rms":
        heights = np.sqrt(heights)
    else:
        heights = heights * _share_ratio(errors, np.interp(deviation, centres, heights))
    return IsotonicMap(tuple(centres.tolist()), tuple(heights.tolist()), float(deviation.min()), float(deviation.max()))


def error_map_from_json(entry: Mapping) -> ErrorMap:
    """The inverse of `to_json`."""
    if entry.get("kind") == "scale":
        return ScaleMap(entry["scale"], entry["low"], entry["high"])
    if entry.get("kind") == "isotonic":
        return IsotonicMap(tuple(entry["knots"]), tuple(entry["values"]), entry["low"], entry["high"])
    raise ValueError(f'found an error map of kind {entry.get("kind")!r}, expected "scale" or "isotonic"; it was written by another version')


def _share_ratio(errors: np.ndarray, sigma: np.ndarray) -> float:
    """The factor on σ with which ±σ holds the share of the error components; errors (n, 3), sigma (n,)."""
    size = np.abs(errors)
    ratio = np.full(size.shape, np.inf)
    np.divide(size, sigma[:, None], out=ratio, where=sigma[:, None] > 0)
    ratio[size == 0] = 0.0
    rank = ceil((ratio.size + 1) * SHARE) - 1
    factor = float(np.partition(ratio.ravel(), rank)[rank])
    if not 0 < factor < np.inf:
        raise ValueError(
            f"{np.mean(sigma == 0):.0%} of the atoms have no deviation and {np.mean(size == 0):.0%} of the error components are 0: no "
            "factor makes them fit; calibrate on labelled frames with members that were trained from different seeds"
        )
    return factor


def _checked(deviation: np.ndarray, errors: np.ndarray, least: int = LEAST) -> tuple[np.ndarray, np.ndarray]:
    deviation, errors = np.asarray(deviation, np.float64), np.asarray(errors, np.float64)
    if deviation.ndim != 1 or errors.shape != (len(deviation), 3):
        raise ValueError(f"deviations have shape {deviation.shape} and errors {errors.shape}, expected (n,) and (n, 3)")
    if errors.size < least:
        raise ValueError(
            f"found {errors.size} error components, expected at least {least}; calibrate on more frames"
            + (", or join groups" if least == LEAST else f", or fit one scale, for which {LEAST} are enough")
        )
    if not (np.isfinite(deviation).all() and np.isfinite(errors).all()) or deviation.min() < 0:
        raise ValueError("deviations or errors are negative, NaN or infinite, expected finite deviations ≥ 0; leave out frames that failed")
    return deviation, errors
