"""Voronoi volumes of the atoms of a periodic structure."""

import numpy as np
from scipy.spatial import ConvexHull, Voronoi

from mlff.geometry import inside_cell

FIRST = 6.0  # Å, of the images around the cell at first; more where a volume reaches their rim


def voronoi_volumes(positions: np.ndarray, cell: np.ndarray, centres: np.ndarray | None = None) -> np.ndarray:
    """Volume of space that is nearer to an atom than to any other or its images.

    Args:
        positions: (n, 3), Å, wherever they lie. cell: (3, 3) rows, Å. centres: (m,) indices; None: all.
    Returns:
        (m,), Å³; those of all atoms add up to the cell.
    Raises:
        ValueError: two atoms in one place.
    """
    cell = np.asarray(cell, float)
    inside = inside_cell(positions, cell)
    centres = np.arange(len(inside)) if centres is None else np.asarray(centres, np.int64)
    margin, heights = FIRST, 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    while True:
        points, own = _with_images(inside, cell, margin / heights)
        if len(np.unique(np.round(points, 6), axis=0)) < len(points):
            raise ValueError("found two atoms in one place, expected distinct positions; look at the structure")
        found = Voronoi(points)
        volumes, reach = np.empty(len(centres)), 0.0
        for k, atom in enumerate(centres):
            region = found.regions[found.point_region[own[atom]]]
            if -1 in region:
                reach = np.inf
                break
            corners = found.vertices[region]
            # an atom that could cut a corner off is no further from it than this one
            reach = max(reach, 2 * np.linalg.norm(corners - points[own[atom]], axis=1).max())
            volumes[k] = ConvexHull(corners).volume
        if reach <= margin:
            return volumes
        margin = min(2 * margin, reach) if np.isfinite(reach) else 2 * margin


def _with_images(inside: np.ndarray, cell: np.ndarray, margin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All atoms and those of their images within the margin of the cell (in units of it, along each axis), and where the atoms are."""
    fractions = inside @ np.linalg.inv(cell)
    reach = np.ceil(margin).astype(int)
    shifts = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    shifts = shifts[np.lexsort((abs(shifts).sum(1),))]  # the cell itself first
    images = (fractions[None] + shifts[:, None]).reshape(-1, 3)
    near = ((images >= -margin) & (images < 1 + margin)).all(axis=1)
    near[: len(inside)] = True
    return images[near] @ cell, np.arange(len(inside))
