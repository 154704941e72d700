"""A structure in the axes that OpenMM and i-PI want."""

import numpy as np
from ase import Atoms
from ase.cell import Cell
from ase.geometry import complete_cell


def oriented(atoms: Atoms) -> tuple[Atoms, np.ndarray]:
    """The same structure with a right-handed cell, a along x and b in the xy plane, as i-PI wants it, and reduced, as OpenMM wants it.

    Reduced are vectors whose components along the others' axes are at most half as long as those. They are others of the same
    lattice, those of periodic axes first; a row of a non-periodic axis that is zero is replaced, because neither program has a cell
    without a volume.

    Args:
        atoms: any cell of either handedness, any pbc.
    Returns:
        atoms: a copy with that cell and its pbc; positions, velocities and forces are turned, not wrapped.
        rotation: (3, 3), proper; a vector v of the given structure is `v @ rotation.T` here.
    """
    order = np.argsort(~atoms.pbc, kind="stable")
    cell = complete_cell(atoms.cell.array)[order]
    if np.linalg.det(cell) < 0:
        cell[2] *= -1
    triangular, rotation = Cell(cell).standard_form()
    a, b, c = triangular.array
    # whole vectors of periodic axes lead from one box of the lattice to another, and those of other axes mean nothing
    c = c - np.round(c[1] / b[1]) * b
    c = c - np.round(c[0] / a[0]) * a
    b = b - np.round(b[0] / a[0]) * a
    turned = Atoms(atoms.numbers, atoms.positions @ rotation.T, cell=[a, b, c], pbc=atoms.pbc[order], masses=atoms.get_masses())
    turned.set_velocities(atoms.get_velocities() @ rotation.T)
    return turned, rotation
