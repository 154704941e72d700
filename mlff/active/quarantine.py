"""Whether quarantine takes away what the model most needs to see."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import mannwhitneyu

SIGNIFICANCE = 0.01  # of a false alarm: one round in a hundred, where quarantine has nothing to do with the uncertainty


def alarm(uncertainty: Sequence[float], in_quarantine: Sequence[bool]) -> str | None:
    """A warning where frames in quarantine are more uncertain than the others; None where they are like them.

    The one-sided test of Mann and Whitney (1947): its statistic over n₁ n₂ is the share of pairs of one frame in
    quarantine and one labelled in which the former is the more uncertain, 0.5 by chance.

    Args:
        uncertainty: of each frame that was to be labelled, (n_frames,), in any unit: only its order counts.
        in_quarantine: (n_frames,).
    Raises:
        ValueError: an uncertainty is NaN, or the two do not have one length.
    """
    values, lost = np.asarray(uncertainty, dtype=float), np.asarray(in_quarantine, dtype=bool)
    if values.shape != lost.shape or values.ndim != 1:
        raise ValueError(f"found uncertainties of shape {values.shape} and quarantine of shape {lost.shape}, expected (n_frames,) of both")
    if np.isnan(values).any():
        raise ValueError(f"{np.isnan(values).sum()} of {len(values)} uncertainties are NaN; expected numbers: leave out frames without one")
    if lost.all() or not lost.any():
        return None
    test = mannwhitneyu(values[lost], values[~lost], alternative="greater")
    if test.pvalue >= SIGNIFICANCE:
        return None
    share = test.statistic / (lost.sum() * (~lost).sum())
    return (
        f"quarantine holds {lost.sum()} of {len(lost)} frames, and the more uncertain ones: in {share:.0%} of pairs the frame that was "
        f"lost is more uncertain than the one that was labelled, where chance gives 50 % (p = {test.pvalue:.1g}); the model does not see "
        "what it knows least. Help the oracle to converge (more rungs of its ladder, a longer time-out), or select less extreme frames"
    )
