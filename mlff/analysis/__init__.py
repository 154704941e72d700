"""Observables: arrays in, arrays out; no torch."""

from mlff.analysis.accumulator import Accumulator
from mlff.analysis.conductivity.arrhenius import Arrhenius, fit_arrhenius, times_temperature
from mlff.analysis.conductivity.constraint_reduction import Reduction, constraint_reduction
from mlff.analysis.conductivity.nernst_einstein import Haven, haven_ratio, nernst_einstein
from mlff.analysis.diffusion.diffusivity import Criteria, TracerDiffusivity, tracer_diffusivity
from mlff.analysis.diffusion.msd import Displacements, MeanSquareDisplacement
from mlff.analysis.estimate import Estimate, no_result
from mlff.analysis.pair_distribution import PairDistribution, PairDistributionAccumulator
from mlff.analysis.system import NotApplicable, System, mobile_ion

__all__ = [
    "Accumulator",
    "Arrhenius",
    "Criteria",
    "Displacements",
    "Estimate",
    "Haven",
    "MeanSquareDisplacement",
    "NotApplicable",
    "PairDistribution",
    "PairDistributionAccumulator",
    "Reduction",
    "System",
    "TracerDiffusivity",
    "constraint_reduction",
    "fit_arrhenius",
    "haven_ratio",
    "mobile_ion",
    "nernst_einstein",
    "no_result",
    "times_temperature",
    "tracer_diffusivity",
]
