"""How two properties of particles go together: particle by particle, and of means in bins, which are two different numbers."""

from dataclasses import dataclass

import numpy as np

from mlff.analysis import Estimate, no_result
from softness.resampling import draws

FEWEST = 10  # particles in a bin that is shown


@dataclass(frozen=True)
class Trend:
    """Of y against x. pearson: of the particles. of_bins: Pearson correlation of the means in bins of x, which is near ±1 for any trend
    however weak, and is given because papers 004 gives it.

    x, y, error: (n_bins,), means in bins of as many particles each, and the standard error of y.
    """

    pearson: Estimate
    of_bins: float
    x: np.ndarray
    y: np.ndarray
    error: np.ndarray


def trend(x: np.ndarray, y: np.ndarray, groups: np.ndarray | None = None, n_bins: int = 12, seed: int = 0) -> Trend | None:
    """None with fewer than 20 rows that have both values.

    Args:
        x, y: (n,), rows with a NaN are left out. groups: (n,), rows that are not independent, such as those of one particle.
    """
    known = np.isfinite(x) & np.isfinite(y)
    x, y = np.asarray(x, float)[known], np.asarray(y, float)[known]
    groups = np.arange(len(x)) if groups is None else np.unique(np.asarray(groups)[known], return_inverse=True)[1]
    if len(x) < 2 * FEWEST:
        return None
    n_bins = max(2, min(n_bins, len(x) // FEWEST))
    place = np.clip(np.searchsorted(np.quantile(x, np.linspace(0, 1, n_bins + 1)), x, side="right") - 1, 0, n_bins - 1)
    count = np.bincount(place, minlength=n_bins)
    kept = count >= 2
    mean = lambda values: np.bincount(place, values, minlength=n_bins)[kept] / count[kept]  # noqa: E731
    mean_x, mean_y = mean(x), mean(y)
    error = np.array([mean_of_groups(y[place == k], groups[place == k]).error for k in np.flatnonzero(kept)])
    return Trend(_told(x, y, groups, seed), _pearson(mean_x, mean_y), mean_x, mean_y, error)


def mean_of_groups(values: np.ndarray, groups: np.ndarray) -> Estimate:
    """The mean of all values, with the error that the scatter of whole groups gives it; of the values where there is one group."""
    groups = np.unique(groups, return_inverse=True)[1].reshape(-1)
    n = int(groups.max()) + 1
    if n < 2:
        return Estimate(float(values.mean()), float(values.std()))
    off = np.bincount(groups, values - values.mean())
    return Estimate(float(values.mean()), float(np.sqrt(n / (n - 1) * (off @ off)) / len(values)))


def _told(x: np.ndarray, y: np.ndarray, groups: np.ndarray, seed: int) -> Estimate:
    """Pearson correlation with its scatter over draws of as many groups."""
    if not (np.ptp(x) > 0 and np.ptp(y) > 0):
        return no_result("one of the two is the same for all particles")
    drawn = [_pearson(x[rows], y[rows]) for rows in draws(groups, np.random.default_rng(seed))]
    return Estimate(_pearson(x, y), float(np.nanstd(drawn, ddof=1)))


def _pearson(x: np.ndarray, y: np.ndarray) -> float:
    """NaN where one of them does not vary."""
    dx, dy = x - x.mean(), y - y.mean()
    norm = np.sqrt((dx @ dx) * (dy @ dy))
    return float(dx @ dy / norm) if norm > 0 else float("nan")
