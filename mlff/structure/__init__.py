"""Crystals and what is made of them as ase.Atoms: prototypes, the structures of publications, builders, and any file in the same place."""

from mlff.structure.build import crystal, names, prototype, structure, supercell
from mlff.structure.builder import Builder, built

__all__ = ["Builder", "built", "crystal", "names", "prototype", "structure", "supercell"]
