"""Real solid harmonics up to l = 3, on vectors stored component by component.

Order m = −l … l, axes (x, y, z), so that l = 1 is (y, z, x). Normalised to Σ_m Y_lm² = r^{2l} ("norm" in
e3nn), because densities are rescaled by their own RMS and a unit length keeps that scale the same for each l.
"""

from math import sqrt

import torch
from torch import Tensor

L_MAX = 3


def solid_harmonics(vectors: Tensor, l_max: int) -> list[Tensor]:
    """R_lm(r) = r^l Y_lm(r̂), polynomials in x, y, z.

    Args:
        vectors: (3, ...).
        l_max: 0 to 3.
    Returns:
        One tensor (2l+1, ...) for each l.
    """
    if not 0 <= l_max <= L_MAX:
        raise ValueError(f"l_max is {l_max}, expected 0 to {L_MAX}; lower `model.l_max`")
    x, y, z = vectors.unbind(0)
    shells = [torch.ones_like(x).unsqueeze(0)]
    if l_max >= 1:
        shells.append(torch.stack((y, z, x)))
    if l_max >= 2:
        x2, y2, z2 = x * x, y * y, z * z
        s3 = sqrt(3.0)
        shells.append(torch.stack((s3 * x * y, s3 * y * z, z2 - 0.5 * (x2 + y2), s3 * x * z, 0.5 * s3 * (x2 - y2))))
    if l_max >= 3:
        a, b, c = sqrt(5 / 8), sqrt(15.0), sqrt(3 / 8)
        planar = 4 * z2 - x2 - y2
        shells.append(
            torch.stack(
                (
                    a * y * (3 * x2 - y2),
                    b * x * y * z,
                    c * y * planar,
                    z * (z2 - 1.5 * (x2 + y2)),
                    c * x * planar,
                    0.5 * b * z * (x2 - y2),
                    a * x * (x2 - 3 * y2),
                )
            )
        )
    return shells
