"""VASP's XDATCAR: direct coordinates, atoms sorted by species; a changing cell is written before each frame, as VASP does at NPT."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase.data import chemical_symbols

from mlff.trajectory.formats.wrapping import wrapped
from mlff.trajectory.frames import Frames
from mlff.trajectory.reader import Trajectory


def write(path: Path, trajectory: Trajectory, chunks: Iterator[Frames], wrap: bool) -> None:
    """Species in the order of their first atoms, and the atoms of each in their order; 9 decimals of the cell, 10 of the coordinates.

    Raises:
        ValueError: a cell has no volume.
    """
    species = list(dict.fromkeys(trajectory.numbers.tolist()))
    order = np.concatenate([np.flatnonzero(trajectory.numbers == z) for z in species])
    symbols = " ".join(chemical_symbols[z] for z in species)
    counts = " ".join(str(int((trajectory.numbers == z).sum())) for z in species)
    coordinates = "%13.10f %13.10f %13.10f\n" * trajectory.n_atoms
    number, constant = 0, trajectory.constant_cell
    with open(path, "w") as file:
        for frames in chunks:
            if not np.linalg.det(frames.cells).all():
                raise ValueError(
                    f"a cell of steps {frames.steps[0]} to {frames.steps[-1]} has no volume, but XDATCAR needs three cell vectors"
                )
            positions = wrapped(frames.positions, frames.cells, trajectory.pbc)[0] if wrap else frames.positions
            direct = (positions @ np.linalg.inv(frames.cells))[:, order]
            for cell, s in zip(frames.cells, direct, strict=True):
                if number == 0 or not constant:
                    rows = "".join(f"    {x:14.9f} {y:14.9f} {z:14.9f}\n" for x, y, z in cell)
                    file.write(f"{trajectory.path.name}\n           1\n{rows}   {symbols}\n   {counts}\n")
                number += 1
                file.write(f"Direct configuration={number:6d}\n{coordinates % tuple(s.ravel().tolist())}")
