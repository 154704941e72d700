"""Samples whose mobility is decided by a plane that is known."""

import numpy as np

from softness.rows import Samples

PLANE = np.array([1.0, -2.0, 0.5, 0.0, 0.0, 0.0])


def planted(rng, trajectory, n_windows=10, n_ions=60, noise=0.5) -> Samples:
    """Each ion keeps most of its structure from window to window; its motion follows the plane, but for noise."""
    own = rng.normal(size=(n_ions, len(PLANE)))
    features = np.sqrt(0.7) * own + np.sqrt(0.3) * rng.normal(size=(n_windows, n_ions, len(PLANE)))
    motion = np.exp(features @ PLANE / np.linalg.norm(PLANE) + noise * rng.normal(size=(n_windows, n_ions)))
    begins = np.repeat(10 * np.arange(n_windows) + 1, n_ions)
    ions = np.tile(np.arange(n_ions), n_windows)
    n = n_windows * n_ions
    return Samples(
        features.reshape(n, -1), motion.reshape(-1), ions, np.full(n, trajectory), np.full(n, trajectory), begins - 1, begins, begins + 9
    )
