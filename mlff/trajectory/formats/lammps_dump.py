"""LAMMPS text dump: unwrapped xu yu zu or, wrapped, x y z with image flags ix iy iz; cells turned as LAMMPS wants them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase.data import chemical_symbols

from mlff.trajectory.formats.restricted import restricted
from mlff.trajectory.formats.wrapping import wrapped
from mlff.trajectory.frames import Frames
from mlff.trajectory.reader import Trajectory


def write(path: Path, trajectory: Trajectory, chunks: Iterator[Frames], wrap: bool) -> None:
    """Types count the species in the order of their first atoms; positions have 6 decimals."""
    species = list(dict.fromkeys(trajectory.numbers.tolist()))
    atoms = [f"{i} {species.index(z) + 1} {chemical_symbols[z]}" for i, z in enumerate(trajectory.numbers.tolist(), 1)]
    coordinates = " %.6f %.6f %.6f %d %d %d\n" if wrap else " %.6f %.6f %.6f\n"
    body = "".join(text + coordinates for text in atoms)
    columns = "id type element " + ("x y z ix iy iz" if wrap else "xu yu zu")
    with open(path, "w") as file:
        for frames in chunks:
            cells, positions = restricted(frames, trajectory.pbc, "a LAMMPS dump")
            if wrap:
                positions, images = wrapped(positions, cells, trajectory.pbc)
                positions = np.concatenate([positions, images], axis=-1)
            for step, cell, r in zip(frames.steps, cells, positions, strict=True):
                file.write(f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{trajectory.n_atoms}\n")
                file.write(box(cell, trajectory.pbc))
                file.write(f"ITEM: ATOMS {columns}\n{body % tuple(r.ravel().tolist())}")


def box(cell: np.ndarray, pbc: np.ndarray) -> str:
    """The box of a lower triangular cell; a tilted one is given by the bounds of its corners (LAMMPS manual, Howto_triclinic)."""
    boundary = " ".join("pp" if periodic else "ff" for periodic in pbc)
    (xx, _, _), (xy, yy, _), (xz, yz, zz) = cell.tolist()
    if xy == xz == yz == 0:
        return f"ITEM: BOX BOUNDS {boundary}\n" + "".join(f"0 {length:.10g}\n" for length in (xx, yy, zz))
    low = (min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0)
    high = (xx + max(0.0, xy, xz, xy + xz), yy + max(0.0, yz), zz)
    rows = zip(low, high, (xy, xz, yz), strict=True)
    return f"ITEM: BOX BOUNDS xy xz yz {boundary}\n" + "".join(f"{a:.10g} {b:.10g} {tilt:.10g}\n" for a, b, tilt in rows)
