"""Learning-rate schedules, as functions of the share of training that is done."""

import math
from collections.abc import Callable


def warmup_stable_decay(warmup: float, decay: float, final: float) -> Callable[[float], float]:
    """A linear rise, a plateau, and a cosine fall over the last part.

    Args:
        warmup: share of training that rises from 0 to 1.
        decay: share of training, at its end, that falls from 1 to `final`.
        final: the last learning rate over the highest.
    """
    if not (0 <= warmup < 1 and 0 < decay <= 1 and warmup + decay <= 1):
        raise ValueError(f"warm-up {warmup} and decay {decay} are shares of training and must not add up to more than 1; lower one")

    def factor(progress: float) -> float:
        if progress < warmup:
            return max(progress / warmup, 1e-3)
        fallen = min(max((progress - (1 - decay)) / decay, 0.0), 1.0)
        return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * fallen))

    return factor


def constant(warmup: float) -> Callable[[float], float]:
    """A linear rise over the first share of training, then a plateau."""
    return lambda progress: min(1.0, max(progress / warmup, 1e-3)) if warmup > 0 else 1.0
