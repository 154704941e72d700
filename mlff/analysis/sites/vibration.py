"""Vibration on a site: its amplitude, and the attempt frequency, about the mean position during each stay."""

import numpy as np

from mlff.analysis.estimate import Estimate, no_result
from mlff.units import PS

SETTLED = 500.0  # fs, that a stay lasts at least: a few periods, so that its mean is that of the vibration
SLOWEST = 0.5  # correlation from frame to frame, of six frames in a period


def amplitude(sums: np.ndarray) -> np.ndarray:
    """√(⟨|u − ū|²⟩ / 3), Å, (…), from (…, 4): frames, Σ|u − ū|², steps, Σ|Δu|²; NaN without frames."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sqrt(sums[..., 1] / (3 * sums[..., 0]))


def attempt_frequency(sums: np.ndarray, frame_time: float) -> np.ndarray:
    """ν = arccos(ρ) / 2πΔt, THz, with ρ = 1 − ⟨|Δu|²⟩ / 2⟨|u − ū|²⟩, the correlation of displacements one frame apart.

    It is the frequency of a harmonic site exactly, however long the period is in frames; of a spectrum it is half the rate at which the
    displacement along an axis crosses its mean (Rice, Bell Syst. Tech. J. 23, 282, 1944), the frequency of the harmonic well of the same
    width: 2πν = √(⟨u̇²⟩/⟨u²⟩) = √(kT/mσ²). The mean is that of each stay: about the first frame, or about a site beside which an ion
    sits, fewer crossings would be counted. NaN where frames lie too far apart to see the period.

    Args:
        sums: (…, 4), as of `amplitude`. frame_time: ps.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = 1 - sums[..., 3] / sums[..., 2] * sums[..., 0] / (2 * sums[..., 1])
        return np.where(rho > SLOWEST, np.arccos(np.clip(rho, -1, 1)) / (2 * np.pi * frame_time), np.nan)


def vibration(of_ion: np.ndarray, frame_time: float) -> tuple[Estimate, Estimate]:
    """Amplitude, Å, and attempt frequency, THz, of ions with sums (n_ions, 4); errors by a jackknife over ions.

    A single ion's error is that of its periods, taken as independent.
    """
    total = of_ion.sum(0)
    if not total[0]:
        reason = f"no ion stayed on its site for {SETTLED / PS:g} ps"
        return no_result(reason, "Å"), no_result(reason, "THz")
    if not total[1] > 0:
        return Estimate(0.0, 0.0, unit="Å"), no_result("no ion vibrates", "THz")
    width, frequency = float(amplitude(total)), float(attempt_frequency(total, frame_time))
    periods = total[0] * frame_time * (frequency if np.isfinite(frequency) else 1 / (SETTLED / PS))
    alone = 0.5 * np.sqrt(2 / (3 * max(1.0, periods)))
    size = Estimate(width, _jackknife(amplitude, of_ion, total, alone * width), unit="Å")
    if not np.isfinite(frequency):
        reason = f"frames {frame_time * PS:g} fs apart do not show the vibration; write at least six in a period"
        return size, no_result(reason, "THz")
    error = _jackknife(lambda sums: attempt_frequency(sums, frame_time), of_ion, total, alone * frequency)
    return size, Estimate(frequency, error, unit="THz")


def _jackknife(f, of_ion: np.ndarray, total: np.ndarray, alone: float) -> float:
    """Standard error of f of the sums; `alone` for fewer than two ions with frames."""
    seen = of_ion[of_ion[:, 0] > 0]
    n = len(seen)
    if n < 2:
        return alone
    without = f(total - seen)
    without = without[np.isfinite(without)]
    return float(np.sqrt((n - 1) / n * np.square(without - without.mean()).sum())) if len(without) > 1 else alone
