"""Crystals as ase.Atoms: prototypes, the supercells of publications, and any file in the same place."""

from mlff.structure.build import prototype, structure, supercell
from mlff.structure.catalogue import names

__all__ = ["names", "prototype", "structure", "supercell"]
