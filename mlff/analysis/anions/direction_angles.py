"""Where directions point in the crystal: angles to the cell axes, and the sphere around the third of them."""

import numpy as np
from numba import njit


def axes_of(cells: np.ndarray) -> np.ndarray:
    """Unit vectors along a, b, c, and x, y, z with z along c and x towards a; (n_frames, 6, 3) of cells (n_frames, 3, 3)."""
    along = cells / np.linalg.norm(cells, axis=2, keepdims=True)
    z = along[:, 2]
    x = along[:, 0] - (along[:, 0] * z).sum(1, keepdims=True) * z
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return np.concatenate([along, np.stack([x, np.cross(z, x), z], axis=1)], axis=1)


def angles_to_axes(u: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """°, of unit vectors (n_frames, n, 3) to a, b and c, (n_frames, n, 3)."""
    along = axes[:, None, :3]
    across = np.linalg.norm(np.cross(u[:, :, None], along), axis=-1)
    return np.degrees(np.arctan2(across, (u[:, :, None] * along).sum(-1)))


@njit(cache=True, nogil=True)
def count_directions(u, axes, headless, n_angle, n_cosine, n_azimuth, counts):
    """Adds to counts, (3 n_angle + n_cosine n_azimuth,), the angles to a, b, c and the cells of the sphere, of equal area.

    Args:
        u: (n, 3), unit vectors of one frame. axes: (6, 3), of `axes_of`. headless: whether −u counts as well.
    """
    for i in range(len(u)):
        for sign in (1.0, -1.0):
            if sign < 0 and not headless:
                continue
            for axis in range(3):
                cosine = sign * (u[i, 0] * axes[axis, 0] + u[i, 1] * axes[axis, 1] + u[i, 2] * axes[axis, 2])
                angle = np.arccos(min(1.0, max(-1.0, cosine)))
                counts[axis * n_angle + min(int(angle * n_angle / np.pi), n_angle - 1)] += 1
            x = sign * (u[i, 0] * axes[3, 0] + u[i, 1] * axes[3, 1] + u[i, 2] * axes[3, 2])
            y = sign * (u[i, 0] * axes[4, 0] + u[i, 1] * axes[4, 1] + u[i, 2] * axes[4, 2])
            z = sign * (u[i, 0] * axes[5, 0] + u[i, 1] * axes[5, 1] + u[i, 2] * axes[5, 2])
            row = min(max(int((z + 1) * n_cosine / 2), 0), n_cosine - 1)
            column = min(int((np.arctan2(y, x) / np.pi + 1) * n_azimuth / 2), n_azimuth - 1)
            counts[3 * n_angle + row * n_azimuth + column] += 1
