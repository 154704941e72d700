"""Quantum ESPRESSO's pw.x as an oracle."""

from mlff.oracle.espresso.oracle import QuantumEspresso

__all__ = ["QuantumEspresso"]
