"""Standard errors of what is computed from a mean over time: the jackknife over stretches of it."""

from collections.abc import Callable
from math import ceil

import numpy as np
from scipy.special import ndtr, stdtrit

from mlff.analysis.estimate import Estimate, no_result
from mlff.analysis.statistics.blocks import Blocks

ONE_SIGMA = float(ndtr(1.0))  # of a normal variable below its mean plus one standard deviation


def jackknife(blocks: Blocks, function: Callable[[np.ndarray], np.ndarray], least: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The function of the mean of all samples, and its standard error from means that leave out one stretch of time each.

    Few stretches tell their scatter badly: the error is widened to hold 68 % (Student's t).

    Args:
        function: from the mean of samples to an array.
        least: samples that a stretch must have at least, where those that are fewer apart share data.
    Returns:
        value, error: of the function's shape; the error NaN with fewer than two stretches.
    """
    value = np.asarray(function(blocks.mean()))
    joined = max(1, ceil(least / int(blocks.length)))
    n = len(blocks.sums) // joined
    if n < 2:
        return value, np.full(value.shape, np.nan)
    sums = blocks.sums[: n * joined].reshape(n, joined, *blocks.total.shape).sum(1)
    left_out = np.array([function((sums.sum(0) - one) / ((n - 1) * joined * blocks.length)) for one in sums])
    scatter = ((left_out - left_out.mean(0)) ** 2).sum(0)
    return value, stdtrit(n - 1, ONE_SIGMA) * np.sqrt((n - 1) / n * scatter)


def estimate(value: float, error: float, unit: str = "") -> Estimate:
    """Of a value whose error is NaN where the run has not two stretches."""
    if not np.isfinite(error):
        return no_result("the run is too short for an error", unit)
    return Estimate(float(value), float(error), unit=unit)
