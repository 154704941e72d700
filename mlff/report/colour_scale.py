"""From values to colours, the same on page and paper, and the ends of the scale."""

import io

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import LogNorm, Normalize
from matplotlib.image import imsave

SCALE = colormaps["viridis"]
TWO_SIDED = colormaps["coolwarm"]
DECADES = 4  # of a logarithmic scale: what lies further below the largest value is as good as nothing


def norm_of(values: np.ndarray, log: bool) -> Normalize:
    """From the least to the largest value that is known; a logarithmic one leaves out zeros and shows at most DECADES."""
    known = values[np.isfinite(values) & ((values > 0) | (not log))]
    if not known.size:
        return LogNorm(0.1, 1) if log else Normalize(0, 1)
    low, high = float(known.min()), float(known.max())
    if log:
        low = max(low, high * 10.0**-DECADES)
        return LogNorm(low, high if high > low else 10 * low)
    return Normalize(low, high if high > low else low + 1)


def norm_about(values: np.ndarray, middle: float) -> Normalize:
    """As far to both sides of the middle as 95 % of the values lie; single ones far out have the last colour."""
    known = np.abs(values[np.isfinite(values)] - middle)
    reach = float(np.quantile(known, 0.95)) if known.size else 0.0
    return Normalize(middle - (reach or 1.0), middle + (reach or 1.0))


def coloured(values: np.ndarray, log: bool = False, middle: float | None = None) -> np.ndarray:
    """(…, 4) uint8; clear where there is no value. middle: of a scale with two sides, None for one from dark to bright."""
    norm, scale = (norm_of(values, log), SCALE) if middle is None else (norm_about(values, middle), TWO_SIDED)
    unknown = ~np.isfinite(values) | ((values <= 0) & log)
    shades = np.array(scale(np.clip(np.ma.filled(norm(np.ma.masked_array(values, unknown)), 0.0), 0, 1), bytes=True))
    shades[unknown] = 0
    return shades


def png_of(values: np.ndarray, log: bool) -> bytes:
    """A picture with one pixel for each value, (rows from below, columns)."""
    file = io.BytesIO()
    imsave(file, coloured(values, log)[::-1], format="png")
    return file.getvalue()
