"""Detailed balance: in equilibrium as many jumps go from one place to another as back."""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

LEAST = 10  # jumps of a pair, for the normal distribution to hold


@dataclass(frozen=True)
class DetailedBalance:
    """chi_squared: Σ (n_ij − n_ji)² / (n_ij + n_ji) over pairs of at least LEAST jumps. pairs: how many there are.

    p: chance of as much or more in equilibrium, if jumps were independent; 1 without pairs. They are not where ions soon jump back, which
    makes the differences smaller: a small p tells of a current, a large one does not prove that there is none.
    worst: (from, to), the pair with the largest difference for its number, (2,) int64; forward, backward: its jumps. Empty, 0, 0 without.
    """

    chi_squared: float
    pairs: int
    p: float
    worst: np.ndarray
    forward: int
    backward: int


def detailed_balance(hops: np.ndarray, shifts: np.ndarray, counts: np.ndarray) -> DetailedBalance:
    """Of hops (m, 2), from and to, shifts (m, 3), cells from the one to the other, and counts (m,)."""
    flows = {(*hop, *shift): n for hop, shift, n in zip(hops.tolist(), shifts.tolist(), counts.tolist(), strict=True)}
    found = []
    for (i, j, *shift), n in flows.items():
        back = (j, i, *(-s for s in shift))
        m = flows.get(back, 0)
        if n + m >= LEAST and (m == 0 or (i, j, *shift) < back):
            found.append(((n - m) ** 2 / (n + m), i, j, n, m))
    if not found:
        return DetailedBalance(0.0, 0, 1.0, np.zeros(0, np.int64), 0, 0)
    chi_squared = sum(each[0] for each in found)
    _, i, j, n, m = max(found)
    i, j, n, m = (i, j, n, m) if n >= m else (j, i, m, n)
    return DetailedBalance(chi_squared, len(found), float(chdtrc(len(found), chi_squared)), np.array([i, j]), n, m)
