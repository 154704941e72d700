"""`python scripts/run_md.py`: molecular dynamics of many replicas."""

from mlff.run.md.run import run_md

__all__ = ["run_md"]
