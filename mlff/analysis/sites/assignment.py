"""At which site each ion is, frame by frame: it has jumped when it enters the core of another, not when it crosses a border.

Between cores an ion still belongs to the site whose core it was in last, so that no recrossing of the border counts. Sites of other cells
are other places: an ion that goes once through a small cell has jumped, though its site has the same number.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from mlff.analysis.sites.lookup import Lookup, core_at, square

SUMS = 7  # of one stay: frames, Σu_x, Σu_y, Σu_z, Σ|u|², steps, Σ|Δu|²
FRAME, ION, FROM, TO, SHIFT = 0, 1, 2, 3, slice(4, 7)  # columns of a jump; shift: cells from the image of the one to that of the other
COLUMNS = 7


class Ions(NamedTuple):
    """What is known of each ion. A place is a site and the cell of its image, of whole vectors from the first.

    site: (n,) int64, −1 before it was in any core. image: (n, 3) int64.
    before: (n,), from where it came, −1 if it never jumped. image_before: (n, 3).
    first: (n,), of its first place, −1 before. image_first: (n, 3).
    entered: (n,) int64, frame of the jump to where it is; −1 if it was there from the start.
    stay, excursion: (n, SUMS), of the displacement from the site, Å: up to the last frame within the core, and after it.
    last: (n, 3), the latest displacement.
    """

    site: np.ndarray
    image: np.ndarray
    before: np.ndarray
    image_before: np.ndarray
    first: np.ndarray
    image_first: np.ndarray
    entered: np.ndarray
    stay: np.ndarray
    excursion: np.ndarray
    last: np.ndarray


class Counts(NamedTuple):
    """What is counted.

    occupied, multiple: (n_sites,) int64, ions at the site, summed over frames, and frames with more than one.
    complete: (n_bins,) int64, stays between two jumps by their length. ends: (n_bins,) int64, the bins' first frames.
    jumps: (n_ions,) int64. returns: (1,) int64, jumps straight back to where the ion came from. inside: (1,) int64, ion-frames in a core.
    of_site: (n_sites, 4), of_ion: (n_ions, 4): frames, Σ|u − ū|², steps, Σ|Δu|², of settled stays.
    """

    occupied: np.ndarray
    multiple: np.ndarray
    complete: np.ndarray
    ends: np.ndarray
    jumps: np.ndarray
    returns: np.ndarray
    inside: np.ndarray
    of_site: np.ndarray
    of_ion: np.ndarray


def nowhere(n: int) -> Ions:
    """n ions of which nothing is known."""
    return Ions(
        np.full(n, -1), np.zeros((n, 3), np.int64), np.full(n, -1), np.zeros((n, 3), np.int64), np.full(n, -1), np.zeros((n, 3), np.int64),
        np.full(n, -1), np.zeros((n, SUMS)), np.zeros((n, SUMS)), np.zeros((n, 3)),
    )  # fmt: skip


def nothing(n_sites: int, n_ions: int, ends: np.ndarray) -> Counts:
    """Zeros."""
    sites, of_ions, bins, one = (np.zeros(n, np.int64) for n in (n_sites, n_ions, len(ends), 1))
    return Counts(sites, sites.copy(), bins, ends, of_ions, one, one.copy(), np.zeros((n_sites, 4)), np.zeros((n_ions, 4)))


def follow(fractions: np.ndarray, cells: np.ndarray, frame: int, table: Lookup, settled: int, ions: Ions, counts: Counts) -> np.ndarray:
    """Takes in the next frames, the first of them number `frame`.

    Args:
        fractions: (n_frames, n_ions, 3), unwrapped, without drift. cells: (n_frames, 3, 3), Å, in which displacements are told.
        settled: frames that a stay lasts at least, for its displacements to count as vibration.
    Returns:
        jumps in order, (n_jumps, COLUMNS) int64.
    """
    found = np.empty((fractions.shape[0] * fractions.shape[1], COLUMNS), np.int64)
    return found[: _follow(fractions, cells, frame, table, settled, ions, counts, found)]


@njit(cache=True, nogil=True)
def settle(ions, counts, i, settled):
    """Adds the stay of ion i, up to its last frame in the core, to the sums of its site and of the ion; begins a new one."""
    n = ions.stay[i, 0]
    if n >= settled:
        mean = (ions.stay[i, 1] ** 2 + ions.stay[i, 2] ** 2 + ions.stay[i, 3] ** 2) / n
        added = (n, ions.stay[i, 4] - mean, ions.stay[i, 5], ions.stay[i, 6])
        for k in range(4):
            counts.of_site[ions.site[i], k] += added[k]
            counts.of_ion[i, k] += added[k]
    ions.stay[i] = 0.0
    ions.excursion[i] = 0.0


@njit(cache=True, nogil=True)
def _follow(fractions, cells, frame, table, settled, ions, counts, found):
    n_found = 0
    image = np.empty(3, np.int64)
    held = np.zeros(len(table.fractions), np.int64)
    for i in range(len(ions.site)):
        if ions.site[i] >= 0:
            held[ions.site[i]] += 1
    for t in range(fractions.shape[0]):
        h = cells[t]
        for i in range(fractions.shape[1]):
            f0, f1, f2 = fractions[t, i, 0], fractions[t, i, 1], fractions[t, i, 2]
            s = ions.site[i]
            x = y = z = 0.0
            inside = False
            if s >= 0:
                x = f0 - table.fractions[s, 0] - ions.image[i, 0]
                y = f1 - table.fractions[s, 1] - ions.image[i, 1]
                z = f2 - table.fractions[s, 2] - ions.image[i, 2]
                inside = square(table.cell, x, y, z) < table.squares[s]
            if not inside:
                to = core_at(table, f0, f1, f2, image)
                if to >= 0 and s < 0:
                    ions.first[i] = to
                    ions.image_first[i] = image
                elif to >= 0:
                    _jump(frame + t, i, to, image, settled, ions, counts, found[n_found])
                    held[s] -= 1
                    n_found += 1
                if to >= 0:
                    held[to] += 1
                    ions.site[i] = to
                    ions.image[i] = image
                    x = f0 - table.fractions[to, 0] - image[0]
                    y = f1 - table.fractions[to, 1] - image[1]
                    z = f2 - table.fractions[to, 2] - image[2]
                    inside = True
            if ions.site[i] < 0:
                continue
            u = x * h[0, 0] + y * h[1, 0] + z * h[2, 0]
            v = x * h[0, 1] + y * h[1, 1] + z * h[2, 1]
            w = x * h[0, 2] + y * h[1, 2] + z * h[2, 2]
            if inside:
                counts.inside[0] += 1
                if ions.excursion[i, 0] > 0:  # it came back: that was vibration
                    for k in range(SUMS):
                        ions.stay[i, k] += ions.excursion[i, k]
                        ions.excursion[i, k] = 0.0
                _add(ions.stay[i], ions.last[i], ions.stay[i, 0] > 0, u, v, w)
            else:
                _add(ions.excursion[i], ions.last[i], True, u, v, w)
        for s in range(len(held)):
            counts.occupied[s] += held[s]
            counts.multiple[s] += held[s] > 1
    return n_found


@njit(cache=True, nogil=True)
def _jump(frame, i, to, image, settled, ions, counts, row):
    """Counts and writes the jump of ion i from its place to that one."""
    row[0], row[1], row[2], row[3] = frame, i, ions.site[i], to
    back = ions.before[i] == to
    for a in range(3):
        row[4 + a] = image[a] - ions.image[i, a]
        back = back and ions.image_before[i, a] == image[a]
        ions.image_before[i, a] = ions.image[i, a]
    ions.before[i] = ions.site[i]
    counts.returns[0] += back
    counts.jumps[i] += 1
    if ions.entered[i] >= 0:
        counts.complete[np.searchsorted(counts.ends, frame - ions.entered[i], side="right") - 1] += 1
    ions.entered[i] = frame
    settle(ions, counts, i, settled)


@njit(cache=True, nogil=True, inline="always")
def _add(sums, last, after, u, v, w):
    """One more displacement; `after`: the latest one was of the same stay."""
    if after:
        sums[5] += 1
        sums[6] += (u - last[0]) ** 2 + (v - last[1]) ** 2 + (w - last[2]) ** 2
    sums[0] += 1
    sums[1] += u
    sums[2] += v
    sums[3] += w
    sums[4] += u * u + v * v + w * w
    last[0], last[1], last[2] = u, v, w
