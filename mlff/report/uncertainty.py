"""What the uncertainty section shows, as plain data: what a committee says of its errors, and how far that is true."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mlff.uncertainty import (
    CoverageCurve,
    ReliabilityBins,
    SparsificationCurve,
    coverage_curve,
    group_masks,
    reliability_bins,
    sparsification_curve,
    uncertainty_metrics,
)


@dataclass(frozen=True)
class GroupUncertainty:
    """One group of atoms.

    sigma: calibrated σ_c of each atom, (n,), eV/Å per component. error: its root mean square error over the three components, (n,),
    eV/Å. metrics: its row of `uncertainty_metrics`.
    """

    sigma: np.ndarray
    error: np.ndarray
    bins: ReliabilityBins
    coverage: CoverageCurve
    sparsification: SparsificationCurve
    metrics: Mapping[str, float | int | None]


@dataclass(frozen=True)
class UncertaintyContent:
    """All groups, such as "Li" and "framework", in the order to show them; note: a few words on the frames, such as "120 test frames"."""

    groups: Mapping[str, GroupUncertainty]
    note: str = ""

    def __post_init__(self):
        if not self.groups:
            raise ValueError("found no group of atoms; give at least one, or no uncertainty at all")

    @classmethod
    def from_arrays(
        cls,
        deviation: np.ndarray,
        sigma: np.ndarray,
        errors: np.ndarray,
        groups: np.ndarray,
        grade: np.ndarray | None = None,
        note: str = "",
    ) -> "UncertaintyContent":
        """From atoms of frames that the calibration has not seen.

        Args:
            deviation: ε_F, (n,), eV/Å. sigma: calibrated σ_c, (n,), eV/Å. errors: predicted − reference force, (n, 3), eV/Å.
            groups: the name of each atom's group, (n,). grade: extrapolation grade γ, (n,), where it is known.
        """
        sigma, errors, masks = np.asarray(sigma, float), np.asarray(errors, float), group_masks(groups)
        found = {}
        for group, metrics in uncertainty_metrics(deviation, sigma, errors, groups, grade).items():
            own = (sigma[masks[group]], errors[masks[group]])
            found[group] = GroupUncertainty(
                own[0],
                np.sqrt(np.square(own[1]).mean(1)),
                reliability_bins(*own),
                coverage_curve(*own),
                sparsification_curve(*own),
                metrics,
            )
        return cls(found, note)
