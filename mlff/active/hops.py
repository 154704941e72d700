"""Frames in which a mobile ion is on its way from one site to another: rare, and what transport is made of."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms


def hop_indicator(positions: np.ndarray, half_window: int) -> np.ndarray:
    """p_hop of Candelier et al., Phys. Rev. Lett. 105, 135702 (2010): √(⟨|r_A − r̄_B|²⟩ ⟨|r_B − r̄_A|²⟩) of the halves A and B of a window.

    Args:
        positions: unwrapped, (n_frames, n_ions, 3), Å.
        half_window: frames before, and from each frame on.
    Returns:
        (n_frames, n_ions), Å²; a jump of length a gives a². Zero where the window does not fit.
    """
    n_frames = len(positions)
    found = np.zeros(positions.shape[:2])
    for t in range(half_window, n_frames - half_window + 1):
        before, after = positions[t - half_window : t], positions[t : t + half_window]
        spread_before = np.square(before - after.mean(0)).sum(-1).mean(0)
        spread_after = np.square(after - before.mean(0)).sum(-1).mean(0)
        found[t] = np.sqrt(spread_before * spread_after)
    return found


def hopping(frames: Sequence[Atoms], mobile: Sequence[str], distance: float, half_window: int) -> np.ndarray:
    """Which frames lie in the middle of a hop of some mobile ion, (n_frames,) bool.

    Args:
        frames: of one trajectory, positions unwrapped. mobile: symbols. distance: Å, of the shortest hop.
    """
    ions = np.isin(frames[0].get_chemical_symbols(), list(mobile))
    if not ions.any() or len(frames) < 2 * half_window:
        return np.zeros(len(frames), bool)
    positions = np.stack([frame.positions for frame in frames])
    drift = positions[:, ~ions].mean(1, keepdims=True) if (~ions).any() else 0.0
    return (hop_indicator(positions[:, ions] - drift, half_window) > distance**2).any(1)
