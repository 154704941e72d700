"""i-PI: a trained model as the driver that a server of path integrals or molecular dynamics asks for forces."""

from mlff.export.ipi.evaluation import Evaluation
from mlff.export.ipi.protocol import connect, drive

__all__ = ["Evaluation", "connect", "drive"]
