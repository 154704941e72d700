"""From an autocorrelation to its spectrum in cm⁻¹."""

import numpy as np
from scipy.fft import next_fast_len, rfft

from mlff.units import PER_CM


def wavenumbers(n_lags: int, spacing: float, finest: float) -> np.ndarray:
    """The grid of `spectrum`, (n,), cm⁻¹, from 0 to the Nyquist frequency, at most `finest` apart. spacing: fs, of the lags."""
    n = _length(n_lags, spacing, finest)
    return np.arange(n // 2 + 1) / (n * spacing * PER_CM)


def spectrum(correlation: np.ndarray, spacing: float, finest: float) -> np.ndarray:
    """S(ν) = 4 c ∫₀^∞ C(t) w(t) cos(2π c ν t) dt: one-sided, so that the trapezoidal sum over `wavenumbers` is C(0) exactly.

    w is Parzen's window, which reaches zero with the last lag. Its transform is nowhere negative and falls as 1/ν⁴: peaks have no
    false feet, which a mere end of the lags (1/ν) would give them. A line becomes 1.27/t_max wide (half its height), 11 cm⁻¹ at 4 ps.

    Args:
        correlation: (…, n_lags), at lags 0, spacing, 2 spacing, …
        spacing: fs. finest: cm⁻¹, of the grid; the transform is padded with zeros to it.
    Returns:
        (…, n), the correlation's unit × cm; noise in the correlation may make it negative by about its error.
    """
    n_lags = correlation.shape[-1]
    n = _length(n_lags, spacing, finest)
    even = np.zeros((*correlation.shape[:-1], n))
    even[..., :n_lags] = correlation * parzen(n_lags)
    even[..., n - n_lags + 1 :] = even[..., n_lags - 1 : 0 : -1]
    return 2 * spacing * PER_CM * rfft(even, axis=-1).real


def parzen(n: int) -> np.ndarray:
    """Parzen's window at lags 0 to n − 1, 1 at 0 and 0 at n: 1 − 6x² + 6x³, beyond the half 2 (1 − x)³."""
    x = np.arange(n) / n
    return np.where(x < 0.5, 1 - 6 * x**2 + 6 * x**3, 2 * (1 - x) ** 3)


def savitzky_golay(values: np.ndarray, window: int, order: int = 2) -> np.ndarray:
    """Each value becomes that of the polynomial fitted to the window around it, along the last axis.

    Beyond its ends the array goes on as its mirror image, as a spectrum does at 0 and at the Nyquist frequency. window: odd, values;
    one no longer than the order changes nothing.
    """
    half = window // 2
    if window <= order:
        return values
    if values.shape[-1] <= half:
        raise ValueError(f"found {values.shape[-1]} values, expected more than {half}, half the window; smooth less")
    weights = np.linalg.pinv(np.vander(np.arange(-half, half + 1), order + 1, increasing=True))[0]
    padded = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(half, half)], mode="reflect")
    return np.apply_along_axis(np.convolve, -1, padded, weights, "valid")


def mean_wavenumber(grid: np.ndarray, density: np.ndarray) -> np.ndarray:
    """∫ ν D dν / ∫ D dν over the last axis, cm⁻¹; NaN where there is no density."""
    modes, weighted = np.trapezoid(density, grid), np.trapezoid(grid * density, grid)
    return np.divide(weighted, modes, out=np.full_like(modes, np.nan), where=modes > 0)


def _length(n_lags: int, spacing: float, finest: float) -> int:
    """Of the transform: even, so that the Nyquist frequency is on the grid, and no shorter than the lags and their mirror image."""
    return 2 * next_fast_len(max(n_lags, int(np.ceil(0.5 / (spacing * PER_CM * finest)))), real=True)
