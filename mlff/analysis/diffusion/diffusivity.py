"""Tracer diffusivity from the displacements of ions: a value with an error where they diffuse, else what it is below."""

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtri, gammaincinv, stdtrit

from mlff.analysis.diffusion.ion_correlation import CHANCE, correlation_in_time
from mlff.analysis.diffusion.msd import Displacements, full_tensor
from mlff.analysis.estimate import Estimate, no_result
from mlff.analysis.statistics.jackknife import ONE_SIGMA
from mlff.units import CM2_PER_S

UNIT = "cm²/s"


@dataclass(frozen=True)
class Criteria:
    """What a diffusivity must fulfil to be given as a number.

    window: start and end of the fit as shares of the (shortest) run.
    least_diffusivity: cm²/s, below which a value is not trusted (papers of nanosecond runs: 1e-8).
    least_msd: Å², at the end of the window; less is vibration.
    linear: the local exponent's 95 % interval must reach into this range.
    jump_length: Å, of one hop, by which displacements are counted in jumps.
    """

    window: tuple[float, float] = (0.1, 0.5)
    least_diffusivity: float = 1e-8
    least_msd: float = 3.0
    linear: tuple[float, float] = (0.8, 1.2)
    jump_length: float = 3.0


@dataclass(frozen=True)
class TracerDiffusivity:
    """diffusivity: cm²/s, the estimate to quote; the other fields say how it came about.

    fitted: slope of the MSD / 6, cm²/s, whether or not it is trusted. intercept: of the fit, Å². window: its ends, fs.
    end_point: MSD(t_max) / (6 t_max) of displacements over the whole run, cm²/s.
    exponent: d log MSD / d log t over the window.
    tensor, tensor_error: (3, 3), cm²/s, from the slopes of ⟨Δr_a Δr_b⟩ / 2; trusted where `diffusivity` is.
    jumps: Σ |Δr|² over the runs, in jumps of the criterion's length. expected_error: relative, 3.43/√jumps + 0.04 (He, Zhu, Epstein and
        Mo, npj Comput. Mater. 4, 18, 2018, from many simulations): what to expect of a run as long as this; None without jumps.
    correlation: by how much the variance exceeds that of independent ions; 1 where nothing is seen.
    """

    diffusivity: Estimate
    fitted: Estimate
    intercept: float
    window: tuple[float, float]
    end_point: Estimate
    exponent: Estimate
    tensor: np.ndarray
    tensor_error: np.ndarray
    jumps: float
    expected_error: float | None
    correlation: float


def tracer_diffusivity(displacements: Displacements, criteria: Criteria | None = None) -> TracerDiffusivity:
    """D = lim ⟨|r(t) − r(0)|²⟩ / 6t (three dimensions), by a line through the MSD over all origins in a window of lags.

    The line has an intercept, the mean square of the vibrations, and weights 1/t³, as the variance of a random walk's MSD grows. Errors:
    a jackknife over ions (the scatter of the ions' own slopes), widened where equal stretches of time, or independent runs, scatter by
    more than independent ions would (an F test): ions that move together are fewer than they are.

    Where there is no value, the upper bound comes from the displacement over the whole run, for two reasons that it may be too small:
    few jumps (the Poisson limit of their number; if nobody jumped, the rule of three) and few ions (the limit of the sum of squares of
    Gaussian walkers). The logarithms of the two factors add as squares, being independent.

    Raises:
        ValueError: fewer than two lags within the window.
    """
    c = criteria or Criteria()
    times, msd = displacements.times, displacements.per_ion()
    window = (c.window[0] * displacements.duration, c.window[1] * displacements.duration)
    inside = (times >= window[0]) & (times <= window[1])
    if inside.sum() < 2:
        raise ValueError(
            f"found {inside.sum()} lags from {window[0]:g} to {window[1]:g} fs, expected at least 2; give a longer run, more frames "
            "or a wider window"
        )
    t, y = times[inside], msd[inside]
    slope, intercept = _line(t)
    per_ion = slope @ y / (6 * CM2_PER_S)
    n = len(per_ion)
    correlation = _correlation(displacements, per_ion)
    fitted = Estimate(float(per_ion.mean()), _standard_error(per_ion, correlation), unit=UNIT)
    ends = np.concatenate([(run.total**2).sum(0) for run in displacements.runs])
    spans = np.concatenate([np.full(run.total.shape[1], run.duration) for run in displacements.runs])
    ended = ends / (6 * spans * CM2_PER_S)
    jumps = float(ends.sum() / c.jump_length**2)
    expected = 3.43 / np.sqrt(jumps) + 0.04 if jumps > 0 else None
    exponent = _exponent(t, y, correlation)
    components = np.concatenate([run.all_origins[: len(times)][inside] for run in displacements.runs], axis=2)
    per_component = np.einsum("t,tkn->kn", slope, components) / (2 * CM2_PER_S)
    reason, bounded = _doubt(fitted, exponent, float(y.mean(1)[-1]), c)
    value = fitted
    if reason and bounded:
        value = Estimate(None, upper=_upper(jumps, n, correlation, c.jump_length, float(spans.sum())), unit=UNIT, reason=reason)
    elif reason:
        value = no_result(reason, UNIT)
    return TracerDiffusivity(
        value,
        fitted,
        float(intercept @ y.mean(1)),
        window,
        Estimate(float(ended.mean()), _standard_error(ended, correlation), unit=UNIT),
        exponent,
        full_tensor(per_component.mean(1)),
        full_tensor(np.array([_standard_error(component, correlation) for component in per_component])),
        jumps,
        None if expected is None else float(expected),
        correlation,
    )


def _line(t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights whose products with the values are slope and intercept of their line, least squares with weights 1/t³."""
    design = np.stack([t, np.ones_like(t)], axis=1)
    weighted = design / t[:, None] ** 3
    return tuple(np.linalg.solve(weighted.T @ design, weighted.T))


def _standard_error(per_ion: np.ndarray, correlation: float) -> float:
    """Of the mean, from the jackknife, which for a mean is its standard error; widened to hold 68 % where few ions tell their scatter
    (Student's t)."""
    n = len(per_ion)
    if n < 2:
        return abs(float(per_ion.mean())) * np.sqrt(2 / 3)  # one walker: the spread of |Δr|²
    student = stdtrit(max(n / correlation - 1, 1), ONE_SIGMA)
    return float(student * per_ion.std(ddof=1) * np.sqrt(correlation / n))


def _correlation(displacements: Displacements, per_ion: np.ndarray) -> float:
    """Variance of the mean between stretches of time, and between runs, over that of independent ions; 1 where chance explains it."""
    found = correlation_in_time([(run.blocks**2).sum(1) for run in displacements.runs])
    sizes = [run.total.shape[1] for run in displacements.runs]
    if len(sizes) > 2:
        means = [part.mean() for part in np.split(per_ion, np.cumsum(sizes)[:-1])]
        ratio = np.var(means, ddof=1) / (per_ion.var(ddof=1) / np.mean(sizes)) if per_ion.var() > 0 else 1.0
        if ratio > fdtri(len(sizes) - 1, len(per_ion) - 1, CHANCE):
            found = max(found, ratio)
    return float(found)


def _exponent(t: np.ndarray, y: np.ndarray, correlation: float) -> Estimate:
    """d log MSD / d log t with its error from the jackknife over ions."""
    n = y.shape[1]
    x = np.log(t) - np.log(t).mean()
    weights = x / (x**2).sum()
    mean = y.mean(1)
    if not (mean > 0).all():
        return no_result("nothing moved")
    value = float(weights @ np.log(mean))
    if n < 2:
        return Estimate(value, 1.0)
    without = np.maximum((y.sum(1)[:, None] - y) / (n - 1), 1e-300)
    left_out = weights @ np.log(without)
    return Estimate(value, float(np.sqrt(correlation * (n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())))


def _doubt(fitted: Estimate, exponent: Estimate, msd: float, c: Criteria) -> tuple[str, bool]:
    """Why the fitted value is not to be given, "" if it is, and whether the displacement bounds it."""
    if not exponent.known:
        return exponent.reason, True
    low, high = (exponent.value + s * 1.96 * exponent.error for s in (-1, 1))
    if low > c.linear[1]:
        return f"the MSD grows as t^{exponent.value:.2f}, faster than diffusion: the run is too short, or everything drifts", False
    if msd < c.least_msd:
        return f"the MSD reaches {msd:.2g} Å², less than {c.least_msd:g}", True
    if high < c.linear[0]:
        return f"the MSD grows as t^{exponent.value:.2f}, not linearly", True
    if fitted.value < 2 * fitted.error:
        return "the slope is less than twice its error", True
    if fitted.value < c.least_diffusivity:
        return f"below {c.least_diffusivity:g} cm²/s", True
    return "", True


def _upper(jumps: float, n_ions: int, correlation: float, jump_length: float, ion_time: float) -> float:
    """The 95 % upper limit, cm²/s; ion_time: sum of the ions' times, fs."""
    events = jumps / correlation
    most = correlation * gammaincinv(events + 1, CHANCE)  # jumps, of a Poisson distribution of their number
    if jumps > 0:
        shape = 1.5 * n_ions / correlation  # of the gamma distribution of Σ |Δr|² of Gaussian walkers
        spread = shape / gammaincinv(shape, 1 - CHANCE)
        most = jumps * np.exp(np.hypot(np.log(most / jumps), np.log(spread)))
    return float(most * jump_length**2 / (6 * ion_time * CM2_PER_S))
