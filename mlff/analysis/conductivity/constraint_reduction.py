"""By how much each anion motion, when taken away, lowers the conductivity: papers' r_mode on the ladder UC → RC → RTC → RTVC."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from mlff.analysis.estimate import Estimate, no_result

LADDER = ("UC", "RC", "RTC", "RTVC")  # nothing fixed; rotation; also translation; also vibration
MODES = ("rotation", "translation", "vibration")
FAR = 1e9  # decades, in place of infinity
NONE = 1e-6  # a share that came of a quotient with it


@dataclass(frozen=True)
class Reduction:
    """By mode: decrease, Δ_mode = log10 σ before − log10 σ after, and share, r_mode = Δ_mode / ΣΔ. Where σ is bounded, so are they."""

    decrease: dict[str, Estimate]
    share: dict[str, Estimate]


def constraint_reduction(conductivity: Mapping[str, Estimate]) -> Reduction:
    """Δ_mode and r_mode of the four steps of the ladder, from σ (or D) of each, one temperature.

    Δ_rot = log σ_UC − log σ_RC, Δ_trs = log σ_RC − log σ_RTC, Δ_vib = log σ_RTC − log σ_RTVC. The order of the steps is part of the
    definition. An upper bound on σ after a step makes Δ a lower bound; one before it, an upper bound; both, no result.

    Raises:
        ValueError: a step of the ladder is missing.
    """
    if missing := [name for name in LADDER if name not in conductivity]:
        raise ValueError(f"no conductivity of {', '.join(missing)}; run all four of {', '.join(LADDER)}")
    steps = [conductivity[name] for name in LADDER]
    if all(step.known for step in steps):
        log = np.array([np.log10(step.value) for step in steps])
        error = np.array([step.error / step.value for step in steps]) / np.log(10)
        total, decrease, share = log[0] - log[3], {}, {}
        for k, mode in enumerate(MODES):
            gap = np.zeros(4)
            gap[k], gap[k + 1] = 1, -1
            part = float(gap @ log)
            decrease[mode] = Estimate(part, float(np.linalg.norm(gap * error)))
            if total > 0:
                slope = (gap - part / total * np.array([1, 0, 0, -1])) / total
                share[mode] = Estimate(part / total, float(np.linalg.norm(slope * error)))
            else:
                share[mode] = no_result("the constraints together do not lower σ")
        return Reduction(decrease, share)
    ends = [_log_limits(step) for step in steps]
    decrease, share = {}, {}
    for k, mode in enumerate(MODES):
        one, two = steps[k : k + 2]
        if one.known and two.known:
            error = np.hypot(one.error / one.value, two.error / two.value) / np.log(10)
            decrease[mode] = Estimate(float(np.log10(one.value / two.value)), float(error))
        else:
            decrease[mode] = _between(ends[k][0] - ends[k + 1][1], ends[k][1] - ends[k + 1][0])
        corners = [(c[k] - c[k + 1], c[0] - c[3]) for c in product(*ends)]
        if min(total for _, total in corners) <= 0:
            share[mode] = no_result("the bounds leave open whether the constraints lower σ")
        else:  # a ratio of linear functions is largest and smallest at corners
            shares = [part / total for part, total in corners]
            # a share that a missing bound lets go to nothing has no lower bound of its own
            share[mode] = _between(min(shares) if abs(min(shares)) > NONE else -np.inf, max(shares))
    return Reduction(decrease, share)


def _log_limits(estimate: Estimate) -> tuple[float, float]:
    low, high = estimate.limits
    return (np.log10(low) if low > 0 else -FAR, np.log10(high) if 0 < high < np.inf else FAR)


def _between(low: float, high: float) -> Estimate:
    """Limits as large as FAR are none."""
    ends = [None if abs(x) > FAR / 1e3 else float(x) for x in (low, high)]
    if ends == [None, None]:
        return no_result("σ is bounded on both sides of the step")
    return Estimate(None, lower=ends[0], upper=ends[1], reason="σ is bounded, not known, on the ladder")
