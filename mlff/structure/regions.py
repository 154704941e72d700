"""Regions of a cell with two grain boundaries, by distance from the nearest of them."""

import numpy as np

REGIONS = ("GB", "Near_GB", "Far_GB", "Bulk")


def region_of(z: np.ndarray, height: float, slab: float) -> np.ndarray:
    """Indices in REGIONS, (n,) int: a region is one slab of distance, in Å, and the last one is the rest.

    Args:
        z: (n,), Å; need not lie inside the cell.
        height: Å, of the cell, whose boundaries lie at 0 and at half of it.
    """
    distance = z % (height / 2)
    distance = np.minimum(distance, height / 2 - distance)
    return np.minimum(distance // slab, len(REGIONS) - 1).astype(np.int64)
