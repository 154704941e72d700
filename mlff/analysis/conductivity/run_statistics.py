"""One diffusivity from independent runs and from the members of a committee of potentials, with an error that says where it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, stdtrit

from mlff.analysis.estimate import Estimate, no_result
from mlff.analysis.statistics.jackknife import ONE_SIGMA


@dataclass(frozen=True)
class CombinedRuns:
    """combined: mean over the members of the mean over their runs, with the total error: model and sampling errors add as squares.

    model: standard deviation between members beyond what their runs scatter by; it does not fall with more runs.
    sampling: standard error of the mean from the finite number and length of the runs.
    between_runs: standard deviation between runs of one member beyond their own errors: what single runs do not know of themselves.
    within: the runs' own errors, root of the mean square, from ions and stretches of time.
    Each is a standard deviation, whose own error is 1/√(2ν) of it, ν values being free; an upper limit where no scatter is seen beyond
    what the errors below it explain.
    """

    combined: Estimate
    model: Estimate
    sampling: Estimate
    between_runs: Estimate
    within: Estimate


def combine_runs(values: Mapping[str, Sequence[Estimate]]) -> CombinedRuns:
    """Analysis of variance in two stages: runs within members, members.

    All runs of a member count alike, and all members: weights by the runs' own errors would favour the runs in which little happened,
    whose errors are small by the same chance. Errors from the scatter of few values are widened to hold 68 %
    (Student's t). The
    mean of the members is not better than one of them by √M: they learned from the same data and share its errors, so the whole scatter
    between them is the model error. Where a run gives a bound, so does the mean: of the 95 % limits of all, with 0 below.

    Args:
        values: runs of each member of a committee, of one quantity that is not negative; one member where there is no committee.
    Raises:
        ValueError: no run, or several units.
    """
    groups = [list(runs) for runs in values.values() if len(runs)]
    every = [run for runs in groups for run in runs]
    units = sorted({run.unit for run in every})
    if len(units) != 1:
        raise ValueError(f"found {len(every)} runs in the units {units}, expected at least one run, and one unit; convert them first")
    unit = units[0]
    if not all(run.known for run in every):
        return _bounded(groups, unit)
    numbers = np.array([len(runs) for runs in groups])
    means = np.array([np.mean([run.value for run in runs]) for runs in groups])
    own = np.array([np.mean([run.error**2 for run in runs]) for runs in groups])  # mean square of the runs' errors, by member
    within = float(own.mean())
    freedom = int((numbers - 1).sum())
    widening = stdtrit(freedom, ONE_SIGMA) ** 2 if freedom else 1.0
    single = own / numbers  # variance of each member's mean, before and after it is widened
    between_runs = no_result("one run per member" if len(groups) > 1 else "one run", unit)
    if freedom:
        deviations = sum(((np.array([run.value for run in runs]) - mean) ** 2).sum() for runs, mean in zip(groups, means, strict=True))
        between_runs = _excess(deviations / freedom, within, freedom, unit)
        single = np.maximum(single, deviations / freedom / numbers)
    widened = np.maximum(own / numbers, widening * single)
    sampling = float(np.sqrt(widened.sum()) / len(groups))
    model, total = no_result("one member", unit), sampling
    if len(groups) > 1:
        model = _excess(means.var(ddof=1), single.mean(), len(groups) - 1, unit)
        if model.known:
            total = float(np.hypot(sampling, stdtrit(len(groups) - 1, ONE_SIGMA) * model.value))
    return CombinedRuns(
        Estimate(float(means.mean()), total, unit=unit),
        model,
        _deviation(sampling**2, freedom or len(every), unit),
        between_runs,
        _deviation(within, len(every), unit),
    )


def _deviation(variance: float, freedom: int, unit: str) -> Estimate:
    return Estimate(float(np.sqrt(variance)), float(np.sqrt(variance / (2 * freedom))), unit=unit)


def _excess(scatter: float, explained: float, freedom: int, unit: str) -> Estimate:
    """√(scatter − explained) of two variances; where there is none, the 95 % limit of the first, less the second."""
    if scatter > explained:
        return Estimate(float(np.sqrt(scatter - explained)), float(scatter / np.sqrt(2 * freedom * (scatter - explained))), unit=unit)
    most = freedom * scatter / chdtri(freedom, 0.95)  # χ² is below this in 5 % of the cases
    return Estimate(None, upper=float(np.sqrt(max(most - explained, 0.0))), unit=unit, reason="no scatter beyond the runs' errors")


def _bounded(groups: list[list[Estimate]], unit: str) -> CombinedRuns:
    n = sum(not run.known for runs in groups for run in runs)
    nothing = no_result(f"{n} runs gave no value", unit)
    low = float(np.mean([np.mean([max(0.0, run.limits[0]) for run in runs]) for runs in groups]))
    high = float(np.mean([np.mean([run.limits[1] for run in runs]) for runs in groups]))
    combined = nothing
    if low > 0 or np.isfinite(high):
        combined = Estimate(
            None, lower=low if low > 0 else None, upper=high if np.isfinite(high) else None, unit=unit, reason=nothing.reason
        )
    return CombinedRuns(combined, nothing, nothing, nothing, nothing)
