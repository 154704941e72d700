"""The shipped model in ASE's molecular dynamics: energy is conserved, and better so by the square of the timestep."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.md.verlet import VelocityVerlet

from mlff.data import read_frames
from mlff.export.ase import MLFFCalculator
from mlff.run.data import locate

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hot_crystal() -> Atoms:
    """A frame of γ-Li3PS4 (16 atoms) with its positions thermal at 600 K, and velocities of 600 K."""
    frames = read_frames(locate("bundled:li3ps4"))
    frame = next(f for f in frames if len(f.numbers) == 16 and f.info["temperature"] == 600.0)
    atoms = Atoms(numbers=frame.numbers, positions=frame.positions, cell=frame.cell, pbc=True)
    width = np.sqrt(600 * units.kB / atoms.get_masses())[:, None]
    atoms.set_velocities(width * np.random.default_rng(0).normal(size=(len(atoms), 3)))
    atoms.set_momenta(atoms.get_momenta() - atoms.get_momenta().mean(0))
    return atoms


def total_energy(atoms: Atoms, timestep: float, duration: float, dtype: str) -> np.ndarray:
    """Potential and kinetic energy along an NVE run, meV/atom, every step (fs, fs)."""
    atoms = atoms.copy()
    atoms.calc = MLFFCalculator.load("bundled:li3ps4", dtype=dtype)
    dynamics = VelocityVerlet(atoms, timestep * units.fs)
    energies = []
    dynamics.attach(lambda: energies.append(atoms.get_total_energy() / len(atoms)))
    dynamics.run(round(duration / timestep))
    return 1e3 * np.array(energies)


def test_five_picoseconds_conserve_energy(hot_crystal):
    energy = total_energy(hot_crystal, timestep=1.0, duration=5000.0, dtype="float32")
    time = np.linspace(0, 5, len(energy))  # ps
    drift = np.polyfit(time, energy, 1)[0]
    assert abs(drift) < 1.0  # meV/atom/ps
    assert np.ptp(energy) < 5.0  # meV/atom


def test_the_range_of_the_energy_falls_as_the_square_of_the_timestep(hot_crystal):
    """Verlet's error is of second order: it would stall, or fall as dt, if forces were not the energy's gradient."""
    coarse, fine = (np.ptp(total_energy(hot_crystal, dt, 200.0, "float64")[:: round(2 / dt)]) for dt in (2.0, 1.0))
    assert 3.0 < coarse / fine < 5.5
