"""A table from a place in the cell to the few sites whose core it may lie in: no search among all sites, and no image forgotten."""

from typing import NamedTuple

import numpy as np
from numba import njit

WIDTH = 0.7  # Å, of a voxel: most then touch one core or none
MOST = 2**21  # voxels


class Lookup(NamedTuple):
    """What the kernels take of sites.

    cell: (3, 3) rows, Å, in which distances are measured. fractions: (n, 3). squares: (n,), Å², of the radii of the cores.
    shape: (3,) int64, voxels along each vector. starts: (n_voxels + 1,) int64, where the entries of a voxel begin.
    site: (n_entries,) int64. shift: (n_entries, 3) int64: the core is that of the site's image in this cell.
    """

    cell: np.ndarray
    fractions: np.ndarray
    squares: np.ndarray
    shape: np.ndarray
    starts: np.ndarray
    site: np.ndarray
    shift: np.ndarray


def lookup(cell: np.ndarray, fractions: np.ndarray, cores: np.ndarray) -> Lookup:
    """Of sites at fractional coordinates (n, 3) in 0 to 1 with cores (n,), Å; any skewed cell, cores of any size."""
    cell = np.ascontiguousarray(cell, dtype=float)
    width = max(WIDTH, (abs(np.linalg.det(cell)) / MOST) ** (1 / 3))
    shape = np.maximum(1, np.round(np.linalg.norm(cell, axis=1) / width)).astype(np.int64)
    corners = np.stack(np.meshgrid(*[(-0.5, 0.5)] * 3), axis=-1).reshape(-1, 3) / shape @ cell
    reach = cores + np.linalg.norm(corners, axis=1).max()  # from the middle of a voxel that the core touches
    spans = reach[:, None] * np.linalg.norm(np.linalg.inv(cell), axis=0)  # of the sphere, along each vector
    counts = np.zeros(shape.prod() + 1, np.int64)
    n = _touch(cell, fractions, reach, spans, shape, counts, np.zeros(0, np.int64), np.zeros((0, 3), np.int64), False)
    starts = np.concatenate([[0], np.cumsum(counts[:-1])])
    site, shift = np.empty(n, np.int64), np.empty((n, 3), np.int64)
    _touch(cell, fractions, reach, spans, shape, starts.copy(), site, shift, True)
    return Lookup(cell, np.ascontiguousarray(fractions, dtype=float), np.square(cores), shape, starts, site, shift)


@njit(cache=True, nogil=True)
def _touch(cell, fractions, reach, spans, shape, place, site, shift, write):
    """Visits each voxel that a core may touch; counts them, or writes entries and moves on their places."""
    n = 0
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for s in range(len(fractions)):
        for a in range(3):
            low[a] = int(np.floor((fractions[s, a] - spans[s, a]) * shape[a])) - 1
            high[a] = int(np.floor((fractions[s, a] + spans[s, a]) * shape[a])) + 1
        for i in range(low[0], high[0] + 1):
            for j in range(low[1], high[1] + 1):
                for k in range(low[2], high[2] + 1):
                    x = (i + 0.5) / shape[0] - fractions[s, 0]
                    y = (j + 0.5) / shape[1] - fractions[s, 1]
                    z = (k + 0.5) / shape[2] - fractions[s, 2]
                    if square(cell, x, y, z) > reach[s] ** 2:
                        continue
                    p, q, r = i // shape[0], j // shape[1], k // shape[2]
                    voxel = ((i - p * shape[0]) * shape[1] + j - q * shape[1]) * shape[2] + k - r * shape[2]
                    if write:
                        site[place[voxel]] = s
                        shift[place[voxel], 0], shift[place[voxel], 1], shift[place[voxel], 2] = -p, -q, -r
                    place[voxel] += 1
                    n += 1
    return n


@njit(cache=True, nogil=True, inline="always")
def square(cell, x, y, z):
    """|f h|², Å², of a fractional difference."""
    u = x * cell[0, 0] + y * cell[1, 0] + z * cell[2, 0]
    v = x * cell[0, 1] + y * cell[1, 1] + z * cell[2, 1]
    w = x * cell[0, 2] + y * cell[1, 2] + z * cell[2, 2]
    return u * u + v * v + w * w


@njit(cache=True, nogil=True)
def core_at(table, x, y, z, image):
    """The site in whose core a place (fractional, unwrapped) lies, −1 for none; writes the cell of that image of the site."""
    image[0], image[1], image[2] = int(np.floor(x)), int(np.floor(y)), int(np.floor(z))
    x, y, z = x - image[0], y - image[1], z - image[2]
    i = min(int(x * table.shape[0]), table.shape[0] - 1)
    j = min(int(y * table.shape[1]), table.shape[1] - 1)
    k = min(int(z * table.shape[2]), table.shape[2] - 1)
    voxel = (i * table.shape[1] + j) * table.shape[2] + k
    for e in range(table.starts[voxel], table.starts[voxel + 1]):
        s = table.site[e]
        p, q, r = table.shift[e, 0], table.shift[e, 1], table.shift[e, 2]
        d = square(table.cell, x - table.fractions[s, 0] - p, y - table.fractions[s, 1] - q, z - table.fractions[s, 2] - r)
        if d < table.squares[s]:
            image[0] += p
            image[1] += q
            image[2] += r
            return s
    return -1
