"""Frames for an equation of state and clamped-ion elastic constants: `python scripts/strain_frames.py relaxed.extxyz frames.extxyz`."""

import sys

import numpy as np
from ase import Atoms
from ase.io import read, write

VOLUMES = (0.94, 0.96, 0.98, 1.02, 1.04, 1.06)  # of the relaxed one
STRAIN = 0.01  # a shear of γ is ε_ij = ε_ji = γ/2
VOIGT = {"xx": (0, 0), "yy": (1, 1), "zz": (2, 2), "yz": (1, 2), "xz": (0, 2), "xy": (0, 1)}


def strain_frames(relaxed: Atoms) -> list[Atoms]:
    """The relaxed cell, then its volumes, then each strain with both signs, atoms scaled along; info["strain"] names each."""
    deformations = {"relaxed": np.eye(3)}
    deformations |= {f"volume {volume:g}": np.eye(3) * volume ** (1 / 3) for volume in VOLUMES}
    for name, (i, j) in VOIGT.items():
        for sign in (1, -1):
            strain = np.zeros((3, 3))
            strain[i, j] = strain[j, i] = sign * STRAIN / (1 if i == j else 2)
            deformations[f"{name} {sign * STRAIN:+g}"] = np.eye(3) + strain
    frames = []
    for name, deformation in deformations.items():
        frame = Atoms(relaxed.symbols, relaxed.positions, cell=relaxed.cell, pbc=relaxed.pbc)
        frame.set_cell(relaxed.cell.array @ deformation, scale_atoms=True)
        frame.info = {"strain": name, "structure": relaxed.info.get("structure", "relaxed")}
        frames.append(frame)
    return frames


if __name__ == "__main__":
    write(sys.argv[2], strain_frames(read(sys.argv[1])), format="extxyz")
