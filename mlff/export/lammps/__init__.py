"""LAMMPS (Thompson et al., Comput. Phys. Commun. 271, 108171, 2022): a trained model as its potential."""

from mlff.export.lammps.constraint import write_constraint
from mlff.export.lammps.external import attach
from mlff.export.lammps.library import open_lammps
from mlff.export.lammps.structure import data_file

__all__ = ["attach", "data_file", "open_lammps", "write_constraint"]
