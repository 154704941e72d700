"""⟨v(0)·v(t)⟩ of each species in one pass, from blocks of velocities that overlap by half."""

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

AT_ONCE = 2**17  # values that are transformed at once: they stay in a core's cache, however many atoms there are


def correlation(velocities: np.ndarray) -> np.ndarray:
    """Σ_i ⟨v_i(t)·v_i(t + τ)⟩ over the origins t in the first half of the block; every lag has equally many.

    Args:
        velocities: (2 L, n_atoms, 3), L ≥ 1, evenly spaced in time.
    Returns:
        (L + 1,), lags 0 to L. Both transforms and the way back have one length, of 2 L or more: a shorter one would fold
        negative lags onto these.
    """
    series = velocities.reshape(len(velocities), -1)
    half = len(series) // 2
    length = next_fast_len(2 * half, real=True)
    total = np.zeros(length // 2 + 1, complex)
    width = max(1, AT_ONCE // length)
    for begin in range(0, series.shape[1], width):
        part = np.ascontiguousarray(series[:, begin : begin + width].T, float)
        origins, all_of_it = rfft(part[:, :half], length), rfft(part, length)
        total += (origins.conj() * all_of_it).sum(0)
    return irfft(total, length)[: half + 1] / half


def relative_correlation(own: np.ndarray, velocities: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Σ_i ⟨(v_i − u)(t)·(v_i − u)(t + τ)⟩ from that of the v_i, without a look at each: what differs is the sum's alone.

    Args:
        own: correlation(velocities). velocities: (2 L, n_atoms, 3). frame: (2 L, 3), u.
    """
    n = velocities.shape[1]
    mean = velocities.sum(1, dtype=float) / n
    return own + n * (correlation((mean - frame)[:, None]) - correlation(mean[:, None]))
