"""What each anion motion is worth, wherever the ladder of constraints was run."""

from collections.abc import Mapping

from mlff.analysis import Estimate, constraint_reduction
from mlff.analysis.conductivity.anion_shares import shapley_decrease
from mlff.analysis.conductivity.constraint_reduction import LADDER
from mlff.geometry.anion_motion import MODES
from mlff.report import MotionShares


def motion_shares(conductivity: Mapping[tuple[str, float], Mapping[str, Estimate]]) -> list[MotionShares]:
    """Of σ by structure and temperature (K), then by mode; Shapley values where every subset of the motions was held."""
    found = []
    for (structure, temperature), by_mode in conductivity.items():
        if set(LADDER) <= by_mode.keys():
            reduction = constraint_reduction(by_mode)
            shapley = shapley_decrease(by_mode) if set(MODES) <= by_mode.keys() else {}
            found.append(MotionShares(structure, temperature, reduction.decrease, reduction.share, shapley))
    return found
