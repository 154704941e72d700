"""How far to trust a potential: a committee's deviations, their calibration, and the extrapolation grade. Arrays in, arrays out."""

from mlff.uncertainty.ase_results import committee_results
from mlff.uncertainty.calibration import Calibration, fit_calibration
from mlff.uncertainty.deviation import FrameDeviation, frame_deviation, relative_force_deviation
from mlff.uncertainty.error_map import ErrorMap, IsotonicMap, ScaleMap, fit_isotonic, fit_scale
from mlff.uncertainty.grade import BREAK, GRADE_LEVELS, SAVE, ActiveSet, ExtrapolationGrade, select_active_set
from mlff.uncertainty.levels import FORCE_LEVELS, FrameClass, Levels
from mlff.uncertainty.maxvol import maxvol
from mlff.uncertainty.model_devi import ModelDeviWriter, read_model_devi
from mlff.uncertainty.reliability import (
    CoverageCurve,
    ReliabilityBins,
    SparsificationCurve,
    coverage,
    coverage_curve,
    group_masks,
    rank_correlation,
    reliability_bins,
    sparsification_curve,
    uncertainty_metrics,
)

__all__ = [
    "BREAK",
    "FORCE_LEVELS",
    "GRADE_LEVELS",
    "SAVE",
    "ActiveSet",
    "Calibration",
    "CoverageCurve",
    "ErrorMap",
    "ExtrapolationGrade",
    "FrameClass",
    "FrameDeviation",
    "IsotonicMap",
    "Levels",
    "ModelDeviWriter",
    "ReliabilityBins",
    "ScaleMap",
    "SparsificationCurve",
    "committee_results",
    "coverage",
    "coverage_curve",
    "fit_calibration",
    "fit_isotonic",
    "fit_scale",
    "frame_deviation",
    "group_masks",
    "maxvol",
    "rank_correlation",
    "read_model_devi",
    "relative_force_deviation",
    "reliability_bins",
    "select_active_set",
    "sparsification_curve",
    "uncertainty_metrics",
]
