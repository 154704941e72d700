"""The Atomic Simulation Environment: a trained model as a calculator."""

from mlff.export.ase.calculator import MLFFCalculator

__all__ = ["MLFFCalculator"]
