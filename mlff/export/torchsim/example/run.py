"""Molecular dynamics of four copies of structure.extxyz at once by TorchSim with the model in ./model: `python run.py [n_steps]`."""

import sys

import torch_sim
from ase.io import read

from mlff.export.torchsim import MLFFModel

atoms = read("structure.extxyz")
final = torch_sim.integrate(
    system=[atoms] * 4,
    model=MLFFModel.load("model"),
    integrator=torch_sim.nvt_langevin,
    n_steps=int(sys.argv[1]) if len(sys.argv) > 1 else 1000,
    temperature=600,  # K
    timestep=0.001,  # ps
    trajectory_reporter={"filenames": [f"run{i}.h5" for i in range(4)], "state_frequency": 10},
)
for i, energy in enumerate(final.energy.tolist()):
    print(f"copy {i}: {energy / len(atoms):.6f} eV/atom")
