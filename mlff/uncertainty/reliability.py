"""Whether an uncertainty can be trusted: are its intervals as wide as they say, and does it know which errors are large?

σ_c is the uncertainty of one Cartesian component of a force, (n,), eV/Å, the same for the three components of an atom; errors are
predicted − reference forces, (n, 3), eV/Å.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import erf
from scipy.stats import spearmanr

from mlff.uncertainty.error_map import SHARE

SHARE_95 = 0.95
ALL = "all"  # the group of every atom
N_SHARES = 199  # of a coverage curve: every half percent


@dataclass(frozen=True)
class CoverageCurve:
    """Share of the error components inside the Gaussian interval that should hold the expected share; each (n_shares,), 0 to 1."""

    expected: np.ndarray
    observed: np.ndarray

    @property
    def miscalibration_area(self) -> float:
        """∫|observed − expected| d expected, 0 to 0.5 (Tran et al., Mach. Learn.: Sci. Technol. 1, 025006, 2020)."""
        return float(np.trapezoid(np.abs(self.observed - self.expected), self.expected))


@dataclass(frozen=True)
class ReliabilityBins:
    """Predicted against found errors in bins of σ_c that hold equally many atoms; each (n_bins,), eV/Å.

    sigma: mean σ_c. rms: root mean square error. quantile: what 68.27 % of the errors lie below; it equals the RMS of normal errors.
    """

    sigma: np.ndarray
    rms: np.ndarray
    quantile: np.ndarray


@dataclass(frozen=True)
class SparsificationCurve:
    """RMSE, eV/Å per component, of what remains when the share `removed` of the atoms is left out; each (n_shares,).

    remaining: the most uncertain atoms are left out first. oracle: those with the largest errors, which no uncertainty can better.
    """

    removed: np.ndarray
    remaining: np.ndarray
    oracle: np.ndarray

    @property
    def ause(self) -> float:
        """Area between the curves over the RMSE of all: 0 for a perfect order (Ilg et al., ECCV 2018)."""
        whole = self.oracle[0]
        return float(np.trapezoid(self.remaining - self.oracle, self.removed) / whole) if whole > 0 else 0.0


def coverage_curve(sigma: np.ndarray, errors: np.ndarray) -> CoverageCurve:
    """Observed against expected coverage of the intervals ±z_p σ_c (Kuleshov et al., ICML 2018, for symmetric intervals)."""
    needed = np.sort(_shares(sigma, errors).ravel())
    expected = np.linspace(0.0, 1.0, N_SHARES + 2)
    return CoverageCurve(expected, np.searchsorted(needed, expected, side="right") / len(needed))


def coverage(sigma: np.ndarray, errors: np.ndarray, share: float = SHARE) -> float:
    """Share of the error components inside the Gaussian interval for `share`; ±σ_c for the default, 68.27 %."""
    return float(np.mean(_shares(sigma, errors) <= share))


def reliability_bins(sigma: np.ndarray, errors: np.ndarray, n_bins: int = 12, least: int = 50) -> ReliabilityBins:
    """At most n_bins, fewer where a bin would hold less than `least` atoms; of 50 atoms the quantile is uncertain by a fourteenth."""
    sigma, errors = _checked(sigma, errors)
    parts = np.array_split(np.argsort(sigma, kind="stable"), max(1, min(n_bins, len(sigma) // least)))
    return ReliabilityBins(
        np.array([sigma[part].mean() for part in parts]),
        np.array([np.sqrt(np.square(errors[part]).mean()) for part in parts]),
        np.array([np.quantile(np.abs(errors[part]), SHARE) for part in parts]),
    )


def sparsification_curve(uncertainty: np.ndarray, errors: np.ndarray, n_shares: int = 50) -> SparsificationCurve:
    """uncertainty: (n,), of any unit, only its order counts. Removes up to 98 % of the atoms, in equal steps."""
    uncertainty, errors = _checked(uncertainty, errors)
    square = np.square(errors).mean(1)
    removed = np.linspace(0.0, 1.0, n_shares, endpoint=False)
    kept = len(square) - np.floor(removed * len(square)).astype(int)
    by_uncertainty, by_error = (
        np.sqrt(np.cumsum(square[np.argsort(key, kind="stable")])[kept - 1] / kept) for key in (uncertainty, square)
    )
    return SparsificationCurve(removed, by_uncertainty, by_error)


def rank_correlation(uncertainty: np.ndarray, errors: np.ndarray) -> float | None:
    """Spearman's, of an uncertainty (n,) and the length of each atom's error; None where either is the same for all atoms."""
    uncertainty, errors = _checked(uncertainty, errors)
    size = np.linalg.norm(errors, axis=1)
    if np.ptp(uncertainty) == 0 or np.ptp(size) == 0:
        return None
    return float(spearmanr(uncertainty, size).statistic)


def group_masks(groups: np.ndarray) -> dict[str, np.ndarray]:
    """Which atoms belong to each group, (n,) bool by name; after several groups, all atoms together as "all"."""
    groups = np.asarray(groups)
    masks = {group: groups == group for group in np.unique(groups).tolist()}
    return masks if len(masks) == 1 else masks | {ALL: np.ones(len(groups), bool)}


def uncertainty_metrics(
    deviation: np.ndarray, sigma: np.ndarray, errors: np.ndarray, groups: np.ndarray, grade: np.ndarray | None = None
) -> dict[str, dict[str, float | int | None]]:
    """One JSON-able row for each of `group_masks`.

    Args:
        deviation: ε_F, (n,), eV/Å. sigma: σ_c, (n,), calibrated on other frames. errors: (n, 3). groups: (n,) names.
        grade: the extrapolation grade γ, (n,), where it is known.
    Returns:
        group → "coverage_68", "coverage_95": share of the error components in ±σ_c and ±1.96 σ_c; "miscalibration_area"; "spearman", of
        σ_c and the size of the error, and "spearman_grade", of γ; "ause"; "rmse", eV/Å; "scale": median of √3 σ_c/ε_F; "n": atoms.
    """
    deviation = np.asarray(deviation, np.float64)
    sigma, errors = _checked(sigma, errors)
    rows = {}
    for group, chosen in group_masks(groups).items():
        own = (sigma[chosen], errors[chosen])
        known = deviation[chosen] > 0
        rows[group] = {
            "coverage_68": coverage(*own),
            "coverage_95": coverage(*own, SHARE_95),
            "miscalibration_area": coverage_curve(*own).miscalibration_area,
            "spearman": rank_correlation(*own),
            "spearman_grade": None if grade is None else rank_correlation(np.asarray(grade)[chosen], errors[chosen]),
            "ause": sparsification_curve(*own).ause,
            "rmse": float(np.sqrt(np.square(errors[chosen]).mean())),
            "scale": float(np.median(np.sqrt(3) * sigma[chosen][known] / deviation[chosen][known])) if known.any() else None,
            "n": int(chosen.sum()),
        }
    return rows


def _shares(sigma: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """The share of the smallest Gaussian interval that holds each error component, (n, 3): erf(|error| / (√2 σ_c))."""
    sigma, errors = _checked(sigma, errors)
    size, width = np.abs(errors), np.sqrt(2) * sigma[:, None]
    reduced = np.full(size.shape, np.inf)
    np.divide(size, width, out=reduced, where=width > 0)
    reduced[size == 0] = 0.0
    return erf(reduced)


def _checked(uncertainty: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    uncertainty, errors = np.asarray(uncertainty, np.float64), np.asarray(errors, np.float64)
    if uncertainty.ndim != 1 or errors.shape != (len(uncertainty), 3) or not len(uncertainty):
        raise ValueError(
            f"uncertainties have shape {uncertainty.shape} and errors {errors.shape}, expected (n,) and (n, 3) with n > 0; "
            "give one uncertainty per atom"
        )
    if np.isnan(uncertainty).any() or (uncertainty < 0).any() or not np.isfinite(errors).all():
        raise ValueError("uncertainties are negative or NaN, or errors not finite; leave out frames that failed")
    return uncertainty, errors
