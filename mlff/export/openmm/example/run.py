"""Molecular dynamics of structure.extxyz by OpenMM with the model in ./model: `python run.py [n_steps]`."""

import sys

import openmm
from ase.io import read
from openmm import app, unit

from mlff.export.openmm import force, oriented

atoms, _ = oriented(read("structure.extxyz"))  # in the axes that OpenMM wants
species = atoms.get_chemical_symbols()

topology, system = app.Topology(), openmm.System()
residue = topology.addResidue("crystal", topology.addChain())
for symbol, mass in zip(species, atoms.get_masses(), strict=True):
    topology.addAtom(symbol, app.Element.getBySymbol(symbol), residue)
    system.addParticle(mass)
box = atoms.cell.array * unit.angstrom
topology.setPeriodicBoxVectors(box)
system.setDefaultPeriodicBoxVectors(*box)
system.addForce(force("model", species))
# for a constant pressure: system.addForce(openmm.MonteCarloBarostat(1 * unit.bar, 600 * unit.kelvin))

integrator = openmm.LangevinMiddleIntegrator(600 * unit.kelvin, 10 / unit.picosecond, 1 * unit.femtosecond)
simulation = app.Simulation(topology, system, integrator, openmm.Platform.getPlatformByName("CPU"))
simulation.context.setPositions(atoms.positions * unit.angstrom)
simulation.context.setVelocitiesToTemperature(600 * unit.kelvin)
simulation.reporters.append(app.DCDReporter("run.dcd", 10))
simulation.reporters.append(app.StateDataReporter(sys.stdout, 10, step=True, potentialEnergy=True, temperature=True, speed=True))
simulation.step(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
