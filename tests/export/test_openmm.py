import numpy as np
import pytest
from ase import Atoms

from mlff.artefact.golden import read_golden
from mlff.artefact.locate import locate_model
from mlff.export.ase import MLFFCalculator
from mlff.export.ase.engine import ASE
from mlff.export.engine import export
from mlff.export.openmm import force, oriented
from mlff.export.openmm.engine import OpenMM
from mlff.units import KJ_PER_MOL, NM
from tests.contracts.potentials import build, crystal
from tests.export.programs import assert_says_what_ase_says, moving, run_python, saved_model, telling_structures

openmm = pytest.importorskip("openmm")


@pytest.fixture
def folder(tmp_path):
    OpenMM().write(saved_model(tmp_path / "artefact"), tmp_path / "out")
    return tmp_path / "out"


def context_of(atoms: Atoms, calculator: MLFFCalculator, integrator, *more_forces) -> "openmm.Context":
    system = openmm.System()
    for mass in atoms.get_masses():
        system.addParticle(mass)
    for each in (force(calculator, atoms.get_chemical_symbols(), atoms.pbc), *more_forces):
        system.addForce(each)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("Reference"))
    context.setPeriodicBoxVectors(*atoms.cell.array / NM)
    context.setPositions(atoms.positions / NM)
    return context


def test_openmm_says_what_ase_says(folder, rng):
    # forces pass rotations and units back and forth; 1e-7 eV/Å³: differences of the energy, see the engine
    assert_says_what_ase_says(OpenMM(dtype="float64"), folder, telling_structures(rng), energy=1e-11, forces=1e-11, stress=1e-7)


def test_float32_too(folder, rng):
    # in other axes a float32 network rounds otherwise; energies of 1e-7 eV over strains of 1e-3 and 118 Å³ give the stress
    assert_says_what_ase_says(OpenMM(), folder, [crystal(rng)], energy=1e-5, forces=1e-4, stress=1e-3)


def test_fifty_steps_are_velocity_verlets(folder, rng):
    """Leapfrog's positions are velocity Verlet's, and its kinetic energy is that of whole steps."""
    atoms = moving(rng, crystal(rng))
    # 1e-7 eV: OpenMM has the eV and amu of CODATA 2018, ASE those of 2014, and they differ by 1e-8
    ours, ases = (engine.nve(folder, atoms, 0.5, 50) for engine in (OpenMM(dtype="float64"), ASE(dtype="float64")))
    np.testing.assert_allclose(ours, ases, rtol=0, atol=1e-7)
    assert atoms.get_kinetic_energy() > 0.1


def test_a_species_that_the_model_does_not_know(folder):
    with pytest.raises(ValueError, match="the System holds Na, but the model was trained on Li, P, S, Ge"):
        force(folder / "model", ["Li", "Na"])
    with pytest.raises(ValueError, match="holds Na"):
        OpenMM().answers(folder, [Atoms("NaS", [[0, 0, 0], [0, 0, 2.2]])])


@pytest.mark.parametrize("pbc", [True, (True, False, True), False])
def test_box_vectors_are_reduced_and_the_lattice_is_the_same(pbc, rng):
    atoms = crystal(rng, pbc=pbc)
    atoms.set_cell(np.array([[1, 0, 0], [-2, 1, 0], [1, 3, -1]]) @ atoms.cell.array)  # left-handed, skewed
    turned, rotation = oriented(atoms)
    a, b, c = turned.cell.array
    assert min(a[0], b[1], c[2]) > 0
    assert a[1] == a[2] == b[2] == 0
    assert a[0] >= 2 * max(abs(b[0]), abs(c[0]))
    assert b[1] >= 2 * abs(c[1])
    assert np.linalg.det(rotation) == pytest.approx(1)
    # periodic vectors are whole numbers of periodic ones and the other way round
    periodic, before = turned.cell.array[turned.pbc], (atoms.cell.array @ rotation.T)[atoms.pbc]
    whole = periodic @ np.linalg.pinv(before) if len(before) else np.eye(0)
    np.testing.assert_allclose(whole, np.round(whole), atol=1e-9)
    np.testing.assert_allclose(whole @ before, periodic, atol=1e-9)
    assert abs(np.linalg.det(whole)) == pytest.approx(1)


def test_wrapping_by_openmm_finds_no_neighbours_anew(rng):
    """Platforms and barostats put atoms back into the box; neighbours are remembered of atoms that move a little."""
    atoms, calculator = oriented(crystal(rng))[0], MLFFCalculator(build("lean2", size="XS"), dtype="float64")
    context = context_of(atoms, calculator, openmm.VerletIntegrator(0.001))
    before = context.getState(getEnergy=True).getPotentialEnergy()
    remembered = calculator._neighbors
    atoms.wrap()
    assert np.ptp(atoms.positions - context.getState(getPositions=True).getPositions(asNumpy=True)._value * NM) > 1
    context.setPositions(atoms.positions / NM)
    after = context.getState(getEnergy=True).getPotentialEnergy()
    assert abs(after - before)._value < 1e-8  # kJ/mol; float64 sums
    assert calculator._neighbors is remembered
    assert remembered.n_rebuilds == 1


def test_a_barostat_moves_the_box():
    """γ-Li3PS4 under 50 kbar shrinks, and the energies are still those of its box and positions."""
    atoms = oriented(read_golden("bundled:li3ps4")[0].atoms)[0]
    volume = atoms.get_volume()
    calculator = MLFFCalculator.load("bundled:li3ps4", dtype="float64")
    barostat = openmm.MonteCarloBarostat(5e4, 300.0, 1)  # bar, K, steps
    barostat.setRandomNumberSeed(1)
    integrator = openmm.LangevinMiddleIntegrator(300.0, 10.0, 0.001)
    integrator.setRandomNumberSeed(1)
    context = context_of(atoms, calculator, integrator, barostat)
    context.setVelocitiesToTemperature(300.0, 1)
    integrator.step(60)
    state = context.getState(getEnergy=True, getPositions=True)
    atoms.set_cell(state.getPeriodicBoxVectors(asNumpy=True)._value * NM)
    assert atoms.get_volume() < 0.99 * volume
    atoms.positions = state.getPositions(asNumpy=True)._value * NM
    atoms.calc = MLFFCalculator.load("bundled:li3ps4", dtype="float64")
    assert state.getPotentialEnergy()._value * KJ_PER_MOL == pytest.approx(atoms.get_potential_energy(), abs=1e-9)


@pytest.mark.slow
def test_the_example_runs_as_it_is(tmp_path):
    export(OpenMM(), locate_model("bundled:li3ps4"), tmp_path)
    told = run_python(tmp_path, "run.py", "20")
    lines = told.strip().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["10", "20"]
    assert (tmp_path / "run.dcd").stat().st_size > 0


def test_it_says_what_is_missing(monkeypatch):
    assert OpenMM().missing() is None
    monkeypatch.delattr(openmm, "PythonForce")
    assert "has no PythonForce, which came with 8.4" in OpenMM().missing()
