"""Rotations that lay reference geometries over bodies, many at once."""

import numpy as np


def centred(geometry: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Less the centre of mass; geometry (…, n, 3), masses (…, n)."""
    return geometry - (geometry * masses[..., None]).sum(-2, keepdims=True) / masses.sum(-1)[..., None, None]


def superposition(reference: np.ndarray, geometry: np.ndarray, masses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mass-weighted Kabsch rotations Q, so that Q c_i comes nearest to r_i about the centres of mass (Acta Cryst. A32, 922, 1976).

    At this Q the Eckart condition Σ m_i (Q c_i) × r_i = 0 holds.

    Args:
        reference, geometry: (…, n, 3), Å. masses: (…, n).
    Returns:
        Q (…, 3, 3), proper rotations, and the smallest singular value of Σ m r cᵀ that Q could do without, as a fraction of the largest
        (…): near 0 the rotation is no longer determined, below it the body was turned inside out.
    """
    c, r = centred(reference, masses), centred(geometry, masses)
    u, values, vt = np.linalg.svd(np.einsum("...i,...ia,...ib->...ab", masses, r, c))
    sign = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    u = u * np.stack([np.ones_like(sign), np.ones_like(sign), sign], axis=-1)[..., None, :]
    # a planar body has a smallest singular value of 0 and is as well determined as any: the two smallest add up
    return u @ vt, (values[..., 1] + sign * values[..., 2]) / values[..., 0]


def angle(rotation: np.ndarray) -> np.ndarray:
    """2·asin(‖Q − 1‖_F / 2√2) of rotations (…, 3, 3), rad: unlike the arc cosine of the trace it resolves 1e-8."""
    departure = np.linalg.norm(rotation - np.eye(3), axis=(-2, -1))
    return 2 * np.arcsin(np.clip(departure / np.sqrt(8), 0, 1))
