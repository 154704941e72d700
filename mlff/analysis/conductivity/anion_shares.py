"""The share of each anion motion in the conductivity when every subset of them was constrained: Shapley values."""

from collections.abc import Mapping
from itertools import combinations
from math import factorial

import numpy as np

from mlff.analysis.estimate import Estimate, no_result
from mlff.geometry.anion_motion import MODES

NAMES = {"R": "rotation", "T": "translation", "V": "vibration"}


def shapley_decrease(conductivity: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """Mean decrease of log10 σ by each motion's constraint over all orders in which the three can be imposed.

    The ladder UC → RC → RTC → RTVC is one of these orders, and its shares depend on it (Shapley, Contributions to the Theory of Games
    II, 307, 1953). They add up to the decrease by all three. A bound on any of the eight leaves no result.

    Args:
        conductivity: σ (or D) by the name of the mode, all of `MODES`.
    Raises:
        ValueError: a mode is missing.
    """
    if missing := [name for name in MODES if name not in conductivity]:
        raise ValueError(f"no conductivity of {', '.join(missing)}; run all of {', '.join(MODES)}")
    if not all(estimate.known for estimate in conductivity.values()):
        bounded = [name for name in MODES if not conductivity[name].known]
        return dict.fromkeys(NAMES.values(), no_result(f"σ is bounded, not known, with {', '.join(bounded)}"))
    subsets = {frozenset(letters): name for name, letters in MODES.items()}
    found = {}
    for motion, name in NAMES.items():
        gap = dict.fromkeys(MODES, 0.0)  # d(share)/d(log10 σ) of each mode
        others = [letter for letter in NAMES if letter != motion]
        for n in range(len(NAMES)):
            weight = factorial(n) * factorial(len(NAMES) - n - 1) / factorial(len(NAMES))
            for before in combinations(others, n):
                gap[subsets[frozenset(before)]] += weight
                gap[subsets[frozenset((*before, motion))]] -= weight
        value = sum(gap[mode] * np.log10(conductivity[mode].value) for mode in MODES)
        error = np.sqrt(sum((gap[mode] * conductivity[mode].error / conductivity[mode].value / np.log(10)) ** 2 for mode in MODES))
        found[name] = Estimate(float(value), float(error))
    return found
