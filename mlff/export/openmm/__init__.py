"""OpenMM: a trained model as a force of a System."""

from mlff.export.openmm.force import force
from mlff.export.orientation import oriented

__all__ = ["force", "oriented"]
