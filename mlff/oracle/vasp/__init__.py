"""VASP as an oracle."""

from mlff.oracle.vasp.oracle import VASP

__all__ = ["VASP"]
