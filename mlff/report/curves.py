"""Curves drawn from samples: densities, running medians, histograms; arrays in, arrays out."""

from dataclasses import dataclass

import numpy as np

FAR_OUT = 5.0  # times the central three quarters of the errors: a normal distribution has none beyond, 5.8 standard deviations
MANY = 3000  # samples, from which on a quantile of 99.9 % has a few beyond it
LEAST = 20  # samples of a bin, below which its quantiles mean nothing


@dataclass(frozen=True)
class Band:
    """Median and the central 90 % of y in bins of x; each array (n_bins,)."""

    x: np.ndarray
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray


def binned_band(x: np.ndarray, y: np.ndarray, n_bins: int = 14, least: int = LEAST) -> Band:
    """Median, 5 % and 95 % quantile of y in bins of x that hold equally many samples, at least `least` each.

    Bins of equal count, not of equal width: the tail of large x then has no bins of two samples whose band means nothing.
    """
    n_bins = min(n_bins, len(x) // least)
    if n_bins == 0:
        return Band(*np.zeros((4, 0)))
    parts = np.array_split(np.argsort(x, kind="stable"), n_bins)
    low, median, high = np.array([np.quantile(y[part], [0.05, 0.5, 0.95]) for part in parts]).T
    return Band(np.array([np.median(x[part]) for part in parts]), median, low, high)


def softening(reference: np.ndarray, predicted: np.ndarray, n_bins: int = 14) -> Band:
    """Predicted force along the reference force, over its magnitude: F_pred·F_ref / F_ref², in bins of |F_ref|.

    Args:
        reference, predicted: (n, 3), eV/Å. Forces under 5 % of their RMS are left out: their direction is noise.
    """
    magnitude = np.linalg.norm(reference, axis=1)
    kept = magnitude > 0.05 * np.sqrt(np.square(magnitude).mean()) if len(magnitude) else np.zeros(0, bool)
    ratio = (reference[kept] * predicted[kept]).sum(1) / np.square(magnitude[kept])
    return binned_band(magnitude[kept], ratio, n_bins)


def slope_through_origin(reference: np.ndarray, predicted: np.ndarray) -> float | None:
    """Σ ref·pred / Σ ref², or None where there is no reference."""
    square = np.square(reference).sum()
    return float((reference * predicted).sum() / square) if square > 0 else None


def density(x: np.ndarray, y: np.ndarray, extent: tuple[float, float], n_bins: int) -> np.ndarray:
    """Counts (n_bins, n_bins) of points on a square grid, [row of y from below, column of x]; points outside go to the rim."""
    low, high = extent
    cells = [np.clip(((v - low) / (high - low) * n_bins).astype(int), 0, n_bins - 1) for v in (x, y)]
    return np.bincount(cells[1] * n_bins + cells[0], minlength=n_bins * n_bins).reshape(n_bins, n_bins)


def error_histogram(errors: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Share of the errors, in percent, in each bin; errors outside the edges lower the sum."""
    return 100.0 * np.histogram(errors, edges)[0] / max(len(errors), 1)


def robust_reach(errors: np.ndarray) -> float:
    """Half the width of an axis, around 0, on which the errors can be told apart: the central 99 % (99.9 % of many), but no
    farther out than `FAR_OUT`, so that one frame far off does not squeeze all others into one bin; 0 for nothing."""
    if not len(errors):
        return 0.0
    quarters, most = np.quantile(np.abs(errors), [0.75, 0.999 if len(errors) > MANY else 0.99])
    return float(min(most, FAR_OUT * quarters) or most)


def common_extent(*arrays: np.ndarray) -> tuple[float, float]:
    """Smallest and largest value with a margin of 4 %; (-1, 1) for nothing."""
    values = np.concatenate([np.ravel(a) for a in arrays]) if arrays else np.zeros(0)
    if not values.size:
        return (-1.0, 1.0)
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or 0.5
    return low - margin, high + margin


def decades_extent(*arrays: np.ndarray, rare: float = 0.005) -> tuple[float, float]:
    """Ends of a logarithmic axis for positive values: all but the smallest 0.5 % of each array, which may lie decades below; (0.1, 1)
    for nothing."""
    positive = [values[values > 0] for values in map(np.ravel, arrays)]
    positive = [values for values in positive if len(values)]
    if not positive:
        return (0.1, 1.0)
    return min(float(np.quantile(v, rare)) for v in positive) / 1.15, max(float(v.max()) for v in positive) * 1.15
