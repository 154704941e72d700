"""What a committee's deviations are worth: calibrated on the validation frames, tried on the test frames."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols

from mlff.data import Frame
from mlff.data.dataset import FrameDataset
from mlff.model.architecture import LinearReadout
from mlff.model.potential import Potential
from mlff.report import UncertaintyContent
from mlff.train.metrics import FramePrediction
from mlff.uncertainty import Calibration, ExtrapolationGrade, fit_calibration
from mlff.uncertainty.calibration import FRAMEWORK, group_names
from mlff.uncertainty.error_map import LEAST
from mlff.uncertainty.features import last_layer_features
from mlff.uncertainty.reliability import ALL

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Uncertainty:
    """What is kept and shown.

    calibration: by element where there are enough atoms of each.
    grade: of the first member; None where its last step is not linear.
    content: for the report.
    """

    calibration: Calibration
    grade: ExtrapolationGrade | None
    content: UncertaintyContent

    def for_card(self) -> dict:
        """What the artefact's card keeps: the maps, and how far they held on the test frames."""
        return {
            "calibration": self.calibration.to_json(),
            "note": self.content.note,
            "test": {name: dict(group.metrics) for name, group in self.content.groups.items()},
        }


def assess_uncertainty(
    member: Potential,
    train: FrameDataset,
    val: tuple[Sequence[Frame], Sequence[FramePrediction]],
    test: tuple[Sequence[Frame], Sequence[FramePrediction]],
    test_set: FrameDataset,
    mobile: Collection[str],
) -> Uncertainty | None:
    """Calibrate on the validation frames; None where a part has no forces.

    Args:
        member: whose last layer the extrapolation grade is made of.
        val, test: frames, and what the committee says of them.
    """
    fitted, tried = _Atoms.of(*val), _Atoms.of(*test)
    if not (len(fitted.symbols) and len(tried.symbols)):
        return None
    calibration = _calibrate(fitted, mobile)
    if calibration is None:
        return None
    names = group_names(tried.symbols, calibration.groups)
    sigma = np.empty(len(tried.symbols))
    for temperature in np.unique(tried.temperatures):
        chosen = tried.temperatures == temperature if np.isfinite(temperature) else np.isnan(tried.temperatures)
        known = float(temperature) if np.isfinite(temperature) else None
        sigma[chosen], _ = calibration.sigma(tried.deviation[chosen], names[chosen], known)
    grade, grades = None, None
    if isinstance(member.architecture, LinearReadout):
        grade = ExtrapolationGrade.fit(*last_layer_features(member, train))
        grades = grade(*last_layer_features(member, test_set))[tried.labelled]
    groups = np.where(np.isin(tried.symbols, list(mobile)), tried.symbols, FRAMEWORK)
    note = f"calibrated for {', '.join(calibration.groups)} on {len(val[0])} validation frames, tried on {len(test[0])} test frames"
    return Uncertainty(calibration, grade, UncertaintyContent.from_arrays(tried.deviation, sigma, tried.errors, groups, grades, note))


def _calibrate(atoms: "_Atoms", mobile: Collection[str]) -> Calibration | None:
    """By the finest groups that hold enough atoms: elements, mobile ions and framework, all."""
    for groups in (np.unique(atoms.symbols).tolist(), [*mobile, FRAMEWORK], [ALL]):
        names = group_names(atoms.symbols, groups)
        if min(3 * np.unique(names, return_counts=True)[1]) >= LEAST:
            return fit_calibration(atoms.deviation, atoms.errors, names, atoms.temperatures)
    log.warning("the validation frames hold %d force components, too few to calibrate the spread (%d)", atoms.errors.size, LEAST)
    return None


@dataclass(frozen=True)
class _Atoms:
    """The atoms of frames with forces: symbols, ε_F (eV/Å), errors (n, 3), temperatures (K or NaN); labelled: which of all atoms."""

    symbols: np.ndarray
    deviation: np.ndarray
    errors: np.ndarray
    temperatures: np.ndarray
    labelled: np.ndarray

    @classmethod
    def of(cls, frames: Sequence[Frame], predictions: Sequence[FramePrediction]) -> "_Atoms":
        pairs = list(zip(frames, predictions, strict=True))
        known = [(f, p) for f, p in pairs if f.forces is not None]
        labelled = np.concatenate([np.full(len(f.numbers), f.forces is not None) for f in frames])
        if not known:
            return cls(np.array([], str), np.zeros(0), np.zeros((0, 3)), np.zeros(0), labelled)
        return cls(
            np.array(chemical_symbols)[np.concatenate([f.numbers for f, _ in known])],
            np.concatenate([p.forces_std for _, p in known]),
            np.concatenate([p.forces - f.forces for f, p in known]),
            np.concatenate([np.full(len(f.numbers), f.info.get("temperature") or np.nan) for f, _ in known]).astype(float),
            labelled,
        )
