"""Molecular dynamics of structure.extxyz by ASE with the model in ./model: `python run.py [n_steps]`."""

import sys

from ase import units
from ase.io import read
from ase.md.langevin import Langevin

from mlff.export.ase import MLFFCalculator

atoms = read("structure.extxyz")
atoms.calc = MLFFCalculator.load("model")  # dtype="float64" for relaxations and elastic constants
# from rest: the friction's 100 fs warm it
dynamics = Langevin(
    atoms, timestep=1 * units.fs, temperature_K=600, friction=0.01 / units.fs, fixcm=False, trajectory="run.traj", loginterval=10
)


def tell() -> None:
    print(f"{dynamics.get_time() / units.fs:8.0f} fs  {atoms.get_potential_energy() / len(atoms):.6f} eV/atom")


dynamics.attach(tell, interval=10)
dynamics.run(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
