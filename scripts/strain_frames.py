"""Frames for an equation of state and clamped-ion elastic constants: `python scripts/strain_frames.py relaxed.extxyz frames.extxyz`."""

import sys

import numpy as np
from ase import Atoms
from ase.io import read, write

from mlff.structure.strain import VOIGT, deformed, voigt_strain, volumes

VOLUMES = (0.94, 0.96, 0.98, 1.02, 1.04, 1.06)  # of the relaxed one
STRAIN = 0.01


def strain_frames(relaxed: Atoms) -> list[Atoms]:
    """The relaxed cell, then its volumes, then each strain with both signs, atoms scaled along; info["strain"] names each."""
    bare = Atoms(relaxed.symbols, relaxed.positions, cell=relaxed.cell, pbc=relaxed.pbc)
    bare.info = {"strain": "relaxed", "structure": relaxed.info.get("structure", "relaxed")}
    frames = [bare, *volumes(bare, VOLUMES)]
    for name in VOIGT:
        for size in (STRAIN, -STRAIN):
            frames.append(deformed(bare, np.eye(3) + voigt_strain(name, size)))
            frames[-1].info["strain"] = f"{name} {size:+g}"
    return frames


if __name__ == "__main__":
    write(sys.argv[2], strain_frames(read(sys.argv[1])), format="extxyz")
