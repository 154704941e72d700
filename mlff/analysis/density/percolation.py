"""The way through: the highest density, or lowest free energy, at which a region of the cell connects with its own periodic image."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv, stdtrit

from mlff.analysis.density.percolation_search import first_windings, least_resistance
from mlff.analysis.estimate import Estimate, no_result
from mlff.analysis.statistics.jackknife import ONE_SIGMA

AXES = ("a", "b", "c")
SURE = 0.95


@dataclass(frozen=True)
class Path:
    """The way of least resistance ∫ ds / ρ among those that pass the bottleneck of an axis.

    points: (n, 3), Å, unwrapped, from the densest grid point of the way to its image one or more cells on.
    density: (n,), at the points, in the unit of what was searched; its least value is the bottleneck.
    """

    points: np.ndarray
    density: np.ndarray


def bottlenecks(density: np.ndarray) -> np.ndarray:
    """(3,): the highest density at which the region that has at least as much winds around the cell along a, b and c; 0 where none does.

    Grid points are joined through the faces of their bins, each pair with the lattice vector by which it crosses the boundary; a loop
    counts along an axis when these vectors sum to something with a component along it. So a region that only touches both faces does
    not count, and a channel along [110] counts for a and for b, as ions that follow it move along both.
    """
    order = _descending(density)
    found = first_windings(order, np.array(density.shape))
    return np.array([density.ravel()[order[k]] if k >= 0 else 0.0 for k in found], float)


def path(density: np.ndarray, cell: np.ndarray, axis: int) -> Path | None:
    """Through the bottleneck of an axis, 0 to 2, in a cell of (3, 3) rows, Å; None where no way is."""
    order, shape = _descending(density), np.array(density.shape)
    last = first_windings(order, shape)[axis]
    if last < 0:
        return None
    values = np.ascontiguousarray(density, float).ravel()
    lengths = np.linalg.norm(np.asarray(cell, float), axis=1) / shape
    bins, images = least_resistance(values, order[: last + 1], shape, lengths, axis)
    winding = images[-1] - images[0]
    if winding[axis] < 0:
        bins, images, winding = bins[::-1], images[::-1] - images[-1], -winding
    start = int(np.argmax(values[bins[:-1]]))
    bins = np.concatenate([bins[start:-1], bins[: start + 1]])
    images = np.concatenate([images[start:-1], images[: start + 1] + winding]) - images[start]
    places = np.stack(np.unravel_index(bins, density.shape), axis=-1) / shape + images
    return Path(places @ cell, values[bins])


def barriers(whole: np.ndarray, without: Iterable[np.ndarray], averaged: float = 1.0, inefficiency: float = 1.0) -> list[Estimate]:
    """Free energy of the bottleneck along a, b and c above the densest grid point, ln(ρ_max / ρ_bottleneck), in kT.

    The error is that of the jackknife that leaves out one block of time after the other, and, added as squares, what no resampling
    shows: the search prefers bins that were by chance counted too often, by about the counting noise of the bottleneck's bin, and by
    √(2 ln m) times that of the densest of m bins.

    Where a way is found in all the data but not without one of the blocks, or in none, unsampled bins decide, and there are only 95 %
    bounds from the number n of independent visits to the bottleneck (0: none): the mean of a Poisson variable of which n were seen.

    Args:
        whole: (n_a, n_b, n_c), counts of all the data, smoothed or not. without: each without one block.
        averaged: bins over which they were smoothed. inefficiency: counts per independent visit.
    """
    found = bottlenecks(whole)
    left_out = np.array([[_log_ratio(part, x) for x in bottlenecks(part)] for part in without]).reshape(-1, 3)
    densest = whole.max() * averaged / inefficiency
    estimates = []
    for axis in range(3):
        visits = found[axis] * averaged / inefficiency
        values, n = left_out[:, axis], len(left_out)
        if n >= 2 and found[axis] > 0 and np.isfinite(values).all():
            scatter = stdtrit(n - 1, ONE_SIGMA) ** 2 * (n - 1) / n * ((values - values.mean()) ** 2).sum()  # few blocks tell it badly
            noise = 1 / visits + 2 * np.log((whole > 0).sum()) / densest
            estimates.append(Estimate(_log_ratio(whole, found[axis]), float(np.sqrt(scatter + noise)), unit="kT"))
        elif not whole.max() > 0:
            estimates.append(no_result("nothing was counted", "kT"))
        else:
            lower = max(0.0, float(np.log(gammaincinv(densest, 1 - SURE) / gammaincinv(visits + 1, SURE))))
            upper = float(np.log(gammaincinv(densest + 1, SURE) / gammaincinv(visits, 1 - SURE))) if visits > 0 else None
            reason = "the way rests on few visits" if visits > 0 else "no way through places where an ion was"
            estimates.append(Estimate(None, lower=lower, upper=upper, unit="kT", reason=reason))
    return estimates


def inefficiency(blocks: np.ndarray) -> float:
    """Counts per independent visit of a passage: variance over mean of the counts of blocks of time, (n_blocks, n_bins), at least 1.

    Taken from the bins of at most a tenth of the highest count, in which an ion passes rather than stays; from all, where none is such.
    """
    if len(blocks) < 2:
        return 1.0
    mean = blocks.mean(0)
    passed = (mean > 0) & (mean <= mean.max() / 10)
    if not passed.any():
        passed = mean > 0
    if not passed.any():
        return 1.0
    return max(1.0, float(blocks[:, passed].var(axis=0, ddof=1).sum() / mean[passed].sum()))


def _descending(density: np.ndarray) -> np.ndarray:
    """Flat indices of all grid points that have any, the densest first, (n,) int64."""
    values = np.asarray(density).ravel()
    occupied = np.flatnonzero(values > 0)
    return occupied[np.argsort(-values[occupied].astype(float), kind="stable")]


def _log_ratio(density: np.ndarray, bottleneck: float) -> float:
    return float(np.log(density.max() / bottleneck)) if bottleneck > 0 else np.inf
