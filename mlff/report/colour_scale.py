"""From values to colours, the same on page and paper, and the ends of the scale."""

import io

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import LogNorm, Normalize
from matplotlib.image import imsave

SCALE = colormaps["viridis"]
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


def coloured(values: np.ndarray, log: bool) -> np.ndarray:
    """(…, 4) uint8; clear where there is no value."""
    norm = norm_of(values, log)
    unknown = ~np.isfinite(values) | ((values <= 0) & log)
    shades = np.array(SCALE(np.clip(np.ma.filled(norm(np.ma.masked_array(values, unknown)), 0.0), 0, 1), bytes=True))
    shades[unknown] = 0
    return shades


def png_of(values: np.ndarray, log: bool) -> bytes:
    """A picture with one pixel for each value, (rows from below, columns)."""
    file = io.BytesIO()
    imsave(file, coloured(values, log)[::-1], format="png")
    return file.getvalue()
