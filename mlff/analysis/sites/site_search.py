"""Sites found where the mobile ion is most often: maxima of its density, then the middle of what lies around each."""

import numpy as np
from numba import njit
from scipy.ndimage import maximum_filter

from mlff.analysis.sites.lookup import core_at, lookup
from mlff.analysis.sites.sites import PERIODIC, wrapped
from mlff.geometry import neighbor_list

WIDTH = 0.25  # Å, of a voxel
BLUR = 0.3  # Å, standard deviation: about that of a vibration, so that neither its tail nor counting noise has maxima of its own
MOST_VOXELS, MOST_SAMPLES = 2**22, 2**18
STILL = 0.002  # Å: a site that moves less is where it belongs
STEPS = 30
CONTRAST = 1.5  # of a liquid 1.0, of superionic conductors from 5 on


def find_sites(
    fractions: np.ndarray, cell: np.ndarray, distance: float = 1.5, least: float = 0.02, contrast: float = CONTRAST
) -> np.ndarray:
    """Places of high density, the densest first.

    Local maxima of the blurred density above its mean over the cell are taken from the highest down, each at least `distance` from those
    before. Each then moves to the mean of the positions within half that distance, until it rests. The same positions in any order give
    the same sites.

    A liquid has such maxima too, until its ions have been everywhere. Sites are where the ions will be again: those of the first half of
    the frames must be `contrast` times as dense as the cell in the second.

    Args:
        fractions: (n_frames, n_ions, 3), of positions in units of the cell.
        cell: (3, 3) rows, Å.
        distance: Å, below which two maxima are one site.
        least: share of the frames that an ion must be within half the distance, or it is no site.
        contrast: 0 takes any maxima for sites.
    Returns:
        (n_sites, 3), in 0 to 1.
    Raises:
        ValueError: there is none, or ions do not stay on them.
    """
    sites = _places(fractions, cell, distance, least)
    if not len(sites):
        raise ValueError(
            f"found no place where an ion is in more than {least:g} of {len(fractions)} frames, expected sites; give them by `sites`, "
            "or search with a smaller `least`"
        )
    half = len(fractions) // 2
    again = _contrast(_places(fractions[:half], cell, distance, least), fractions[half:], cell, distance / 2) if half else np.nan
    if again < contrast:
        raise ValueError(
            f"found that ions are {again:.2f} times as dense on the sites of the first half of {len(fractions)} frames as in the cell, in "
            f"the second half, expected at least {contrast:g}: they move as in a liquid; give sites by `sites` if there are any"
        )
    return sites


def _places(fractions: np.ndarray, cell: np.ndarray, distance: float, least: float) -> np.ndarray:
    """Sites of any kind, (n, 3); none where there is none."""
    sites = _separate(*_maxima(fractions, cell), cell, distance)
    every = max(1, fractions.shape[0] * fractions.shape[1] // MOST_SAMPLES)
    samples = np.ascontiguousarray(fractions[::every])
    for _ in range(STEPS):
        moved, counts = _centres(samples, cell, sites, distance / 2)
        steps = np.linalg.norm((moved - sites) @ cell, axis=1)
        kept = counts >= max(1.0, least * len(samples))
        sites = _separate(wrapped(moved[kept]), counts[kept], cell, distance)
        if not len(sites) or (kept.all() and len(sites) == len(kept) and steps.max() < STILL):
            break
    return sites


def _contrast(sites: np.ndarray, fractions: np.ndarray, cell: np.ndarray, radius: float) -> float:
    """Density of ions within the radius of sites over that in the cell; NaN without sites."""
    counts = _centres(np.ascontiguousarray(fractions), cell, sites, radius)[1]
    covered = len(sites) * 4 / 3 * np.pi * radius**3 / abs(np.linalg.det(cell))
    return float(counts.sum() / (fractions.shape[0] * fractions.shape[1]) / covered) if len(sites) else np.nan


def _maxima(fractions: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middles of the voxels that are denser than their neighbours and than the mean, (n, 3), and the density there."""
    width = max(WIDTH, (abs(np.linalg.det(cell)) / MOST_VOXELS) ** (1 / 3))
    shape = np.maximum(1, np.round(np.linalg.norm(cell, axis=1) / width)).astype(int)
    counts = np.zeros(tuple(shape))
    _count(np.ascontiguousarray(fractions), counts)
    waves = np.meshgrid(*(np.fft.fftfreq(n, 1 / n) for n in shape[:2]), np.fft.rfftfreq(shape[2], 1 / shape[2]), indexing="ij")
    squared = np.square(2 * np.pi * np.stack(waves, axis=-1) @ np.linalg.inv(cell).T).sum(-1)
    density = np.fft.irfftn(np.fft.rfftn(counts) * np.exp(-0.5 * BLUR**2 * squared), tuple(shape), axes=(0, 1, 2))
    peaks = np.argwhere((density == maximum_filter(density, size=3, mode="wrap")) & (density > counts.mean()))
    return (peaks + 0.5) / shape, density[tuple(peaks.T)]


def _separate(places: np.ndarray, weights: np.ndarray, cell: np.ndarray, distance: float) -> np.ndarray:
    """Those that are left when each, from the heaviest down, takes away what is nearer than the distance."""
    order = np.argsort(-weights, kind="stable")
    places = places[order]
    if not len(places):
        return places
    (i, j), _ = neighbor_list(places @ cell, cell, PERIODIC, distance)
    bounds = np.searchsorted(i, np.arange(len(places) + 1))
    kept = np.ones(len(places), bool)
    for k in range(len(places)):
        if kept[k]:
            near = j[bounds[k] : bounds[k + 1]]
            kept[near[near > k]] = False
    return places[kept]


def _centres(samples: np.ndarray, cell: np.ndarray, sites: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean of the samples within the radius of each site, (n, 3) fractional, and how many there are, (n,)."""
    sums, counts = np.zeros_like(sites), np.zeros(len(sites))
    _gather(lookup(cell, sites, np.full(len(sites), radius)), samples, sums, counts)
    return sites + sums / np.maximum(counts, 1)[:, None], counts


@njit(cache=True, nogil=True)
def _count(fractions, counts):
    for t in range(fractions.shape[0]):
        for i in range(fractions.shape[1]):
            f = fractions[t, i] - np.floor(fractions[t, i])
            a = min(int(f[0] * counts.shape[0]), counts.shape[0] - 1)
            b = min(int(f[1] * counts.shape[1]), counts.shape[1] - 1)
            c = min(int(f[2] * counts.shape[2]), counts.shape[2] - 1)
            counts[a, b, c] += 1


@njit(cache=True, nogil=True)
def _gather(table, fractions, sums, counts):
    image = np.empty(3, np.int64)
    for t in range(fractions.shape[0]):
        for i in range(fractions.shape[1]):
            s = core_at(table, fractions[t, i, 0], fractions[t, i, 1], fractions[t, i, 2], image)
            if s >= 0:
                counts[s] += 1
                for a in range(3):
                    sums[s, a] += fractions[t, i, a] - image[a] - table.fractions[s, a]
