"""The Atomic Simulation Environment: a trained model as a calculator, and constraints on anions."""

from mlff.export.ase.calculator import MLFFCalculator
from mlff.export.ase.constraint import AnionConstraint

__all__ = ["AnionConstraint", "MLFFCalculator"]
