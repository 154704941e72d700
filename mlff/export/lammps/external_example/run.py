"""Molecular dynamics of structure.extxyz by LAMMPS with the model in ./model: `python run.py [n_steps]`."""

import sys
from pathlib import Path

from ase.io import read

from mlff.export.lammps import attach, data_file, open_lammps

atoms = read("structure.extxyz")
species = sorted(set(atoms.symbols))  # in the order of LAMMPS's atom types
Path("structure.data").write_text(data_file(atoms, species))

lmp = open_lammps()
lmp.commands_string("""
    units metal
    boundary p p p
    box tilt large
    read_data structure.data
""")
attach(lmp, "model", species)  # dtype="float64" for minimizations and elastic constants
lmp.commands_string(f"""
    velocity all create 600 1 dist gaussian
    timestep 0.001
    fix thermostat all nvt temp 600 600 0.1
    thermo_style custom step time temp pe press
    thermo 10
    dump trajectory all custom 10 run.dump id element xu yu zu
    dump_modify trajectory sort id element {" ".join(species)}
    run {sys.argv[1] if len(sys.argv) > 1 else 1000}
""")
