"""`python scripts/analyze.py`: from trajectories to a page, pictures and tables."""

from mlff.run.analysis.run import analyze

__all__ = ["analyze"]
