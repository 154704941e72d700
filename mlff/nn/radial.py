"""Radial functions that end smoothly at the cutoff."""

import torch
from torch import Tensor


def envelope(u: Tensor) -> Tensor:
    """e(u) = (1−u)⁴ (1 + 4u + 10u² + 20u³ + 35u⁴) for u = r/r_c < 1, else 0.

    e(0) = 1 with four vanishing derivatives, and three vanishing derivatives at u = 1, so that forces and
    their derivatives stay continuous as a neighbour leaves.
    """
    t = (1 - u).clamp(min=0)
    t2 = t * t
    return t2 * t2 * (1 + u * (4 + u * (10 + u * (20 + 35 * u))))


def chebyshev(r: Tensor, r_cut: float, n_radial: int) -> Tensor:
    """b_k(r) = e(u) T_k(1 − 2u), u = r/r_cut, k < n_radial: (n_radial, *r.shape).

    T_k(2t − 1) with t = 1 − u; Chebyshev polynomials by their recursion.
    """
    u = r / r_cut
    e = envelope(u)
    # beyond the cutoff e is 0; the clamp keeps high T_k from overflowing there
    x = (1 - 2 * u).clamp(min=-1)
    rows = [e, e * x]
    for _ in range(2, n_radial):
        rows.append(2 * x * rows[-1] - rows[-2])
    return torch.stack(rows[:n_radial])
