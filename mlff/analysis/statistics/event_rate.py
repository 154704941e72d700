"""How often something happens, from how often it was seen; a bound where it was not."""

import numpy as np

from mlff.analysis.estimate import Estimate

NONE_SEEN = -float(np.log(0.05))  # of a Poisson number with this mean, none is seen in 5 % of the cases


def event_rate(n: int, time: float, reason: str, others: tuple[float, ...] = ()) -> Estimate:
    """n / time, 1/ps, ± what chance makes of so many independent events.

    Args:
        time: ps, watched in all. reason: told where n is 0. others: errors found otherwise, 1/ps; the largest is taken.
    """
    if not n:
        return Estimate(None, upper=NONE_SEEN / time, unit="1/ps", reason=reason)
    return Estimate(n / time, float(max(np.sqrt(n) / time, *others, 0.0)), unit="1/ps")
