"""The steps that benchmarks time, the same for every code: atoms that move as in molecular dynamics."""

import time
from collections.abc import Callable

import numpy as np

STEP = 0.006  # Å per step and coordinate: the thermal speed of Li at 600 K times 1 fs, about
REACH = 20  # steps before the atoms turn back: one that flew on would meet another


def timed_steps(evaluate: Callable[[np.ndarray], object], positions: np.ndarray, seconds: float, least: int = 5) -> list[float]:
    """Seconds of each call of `evaluate` on positions that move, (n_atoms, 3), Å; as many as fit, and `least` at the fewest."""
    velocity = np.random.default_rng(0).normal(scale=STEP, size=positions.shape)
    positions, taken, end = positions.copy(), [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(taken) < least:
        positions += velocity
        if len(taken) % REACH == REACH - 1:
            velocity = -velocity
        begin = time.perf_counter()
        evaluate(positions)
        taken.append(time.perf_counter() - begin)
    return taken
