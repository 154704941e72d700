"""Distances from where each particle was to where the others are, in any cell and to any distance, by cell lists."""

import numpy as np
from numba import njit

FINE = 2  # cells of the list within r_max: finer ones are walked through more often than their particles


def distinct_distances(then: np.ndarray, now: np.ndarray, cell: np.ndarray, r_max: float, n_bins: int) -> np.ndarray:
    """Counts of |r_j(t + Δt) − r_i(t)| below r_max over all i and all images of all j, without that to which i itself has gone.

    Other images of i are other particles of the periodic crystal, and count.

    Args:
        then, now: (n, 3), unwrapped positions at t and t + Δt, in units of the cell vectors.
        cell: (3, 3) rows, Å. r_max: Å.
    Returns:
        (n_bins,) int64, bins of equal width from 0 to r_max.
    """
    below, now_below = np.floor(then), np.floor(now)
    widths = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)  # between opposite faces
    most = max(1, int(len(now) ** (1 / 3)) + 1)  # more cells than particles are of no use
    grid = np.clip((FINE * widths / r_max).astype(np.int64), 1, most)
    reach = np.ceil(r_max * grid / widths + 1e-9).astype(np.int64)
    home = (now_below - below).astype(np.int64)  # the image of i in which it is
    return _counts(then - below, now - now_below, home, np.asarray(cell, float), float(r_max), int(n_bins), grid, reach)


@njit(cache=True, nogil=True)
def _counts(then, now, home, cell, r_max, n_bins, grid, reach):
    n = len(now)
    place = np.empty((n, 3), np.int64)
    first = np.zeros(grid[0] * grid[1] * grid[2] + 1, np.int64)
    for j in range(n):
        for a in range(3):
            place[j, a] = min(int(now[j, a] * grid[a]), grid[a] - 1)
        first[(place[j, 0] * grid[1] + place[j, 1]) * grid[2] + place[j, 2] + 1] += 1
    for k in range(len(first) - 1):
        first[k + 1] += first[k]
    following, inside, there = first.copy(), np.empty(n, np.int64), np.empty((n, 3))
    for j in range(n):
        k = (place[j, 0] * grid[1] + place[j, 1]) * grid[2] + place[j, 2]
        inside[following[k]] = j
        for c in range(3):
            there[following[k], c] = now[j, 0] * cell[0, c] + now[j, 1] * cell[1, c] + now[j, 2] * cell[2, c]
        following[k] += 1
    counts = np.zeros(n_bins, np.int64)
    scale, farthest = n_bins / r_max, r_max * r_max
    away = np.empty(3)
    for i in range(n):
        x0 = min(int(then[i, 0] * grid[0]), grid[0] - 1)
        y0 = min(int(then[i, 1] * grid[1]), grid[1] - 1)
        z0 = min(int(then[i, 2] * grid[2]), grid[2] - 1)
        for x in range(x0 - reach[0], x0 + reach[0] + 1):
            a = x // grid[0]
            for y in range(y0 - reach[1], y0 + reach[1] + 1):
                b = y // grid[1]
                row = ((x - a * grid[0]) * grid[1] + y - b * grid[1]) * grid[2]
                for z in range(z0 - reach[2], z0 + reach[2] + 1):
                    c = z // grid[2]
                    k = row + z - c * grid[2]
                    if first[k] == first[k + 1]:
                        continue
                    for d in range(3):
                        away[d] = (a - then[i, 0]) * cell[0, d] + (b - then[i, 1]) * cell[1, d] + (c - then[i, 2]) * cell[2, d]
                    at_home = a == home[i, 0] and b == home[i, 1] and c == home[i, 2]
                    for p in range(first[k], first[k + 1]):
                        dx, dy, dz = there[p, 0] + away[0], there[p, 1] + away[1], there[p, 2] + away[2]
                        square = dx * dx + dy * dy + dz * dz
                        if square < farthest and not (at_home and inside[p] == i):
                            counts[min(int(np.sqrt(square) * scale), n_bins - 1)] += 1
    return counts
