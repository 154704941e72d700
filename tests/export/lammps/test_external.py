import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms, units
from ase.io import iread, write
from ase.md.verlet import VelocityVerlet

from mlff.artefact import save
from mlff.bundled import bundled_folder
from mlff.export.ase import MLFFCalculator
from mlff.export.lammps.external import attach
from mlff.export.lammps.external_engine import LAMMPSExternal
from mlff.export.lammps.simulation import answer, nve, put
from mlff.export.lammps.structure import prism_of
from tests.contracts.potentials import build, crystal, describe

SPECIES = ("Ge", "S", "P", "Li")  # another order than the model's
STEP = 0.5  # fs: the atoms of the test model are stiff


@pytest.fixture(scope="module")
def potential():
    return build("lean2", size="XS")


@pytest.fixture
def calculator(potential):
    return MLFFCalculator(potential, dtype="float64")


@pytest.fixture
def moving(rng) -> Atoms:
    return heated(crystal(rng), rng)


def heated(atoms: Atoms, rng) -> Atoms:
    """With velocities of 300 K."""
    atoms.set_velocities(np.sqrt(300 * units.kB / atoms.get_masses())[:, None] * rng.normal(size=(len(atoms), 3)))
    return atoms


def agree(found, atoms, potential):
    """With a calculator of its own, which has no neighbours of a step before."""
    atoms = atoms.copy()
    atoms.calc = MLFFCalculator(potential, dtype="float64")
    # 1e-11: float64 sums in another order, of positions that LAMMPS wrapped and that are unwrapped again
    assert found.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-11)
    np.testing.assert_allclose(found.forces, atoms.get_forces(), rtol=0, atol=1e-11)
    if atoms.cell.rank == 3:
        np.testing.assert_allclose(found.stress, atoms.get_stress(voigt=False), rtol=0, atol=1e-11)
    else:
        assert found.stress is None


def structure(name, rng) -> Atoms:
    atoms = crystal(rng)
    if name == "left-handed":
        atoms.set_cell(atoms.cell.array[[1, 0, 2]])
    elif name == "without P":
        atoms = atoms[atoms.numbers != 15]
    elif name == "slab":
        atoms.pbc = [True, False, True]
    elif name == "cluster":
        atoms.pbc, atoms.cell = False, np.zeros((3, 3))
    elif name == "atom":
        atoms = Atoms("S", cell=[5, 5, 5], pbc=True)
    elif name == "atom in vacuum":
        atoms = Atoms("S", [[7, 8, 9]])
    return atoms


STRUCTURES = ("triclinic", "left-handed", "without P", "slab", "cluster", "atom", "atom in vacuum")


@pytest.mark.parametrize("name", STRUCTURES)
def test_answers_are_the_models(name, lmp, potential, calculator, rng):
    atoms = structure(name, rng)
    put(lmp, atoms, SPECIES)
    attach(lmp, calculator, SPECIES)
    agree(answer(lmp, atoms), atoms, potential)


def test_the_energy_along_a_run_is_that_of_ase(lmp, moving, potential, calculator):
    """LAMMPS wraps the atoms again and again on the way, and sorts them along space."""
    put(lmp, moving, SPECIES)
    lmp.command("atom_modify sort 5 2.0")
    lmp.command("neigh_modify every 1 delay 0 check no")
    attach(lmp, calculator, SPECIES)
    energies, expected = nve(lmp, STEP, 50), []
    assert lmp.numpy.extract_atom("id")[: len(moving)].tolist() != list(range(1, len(moving) + 1))
    moving.calc = MLFFCalculator(potential, dtype="float64")
    dynamics = VelocityVerlet(moving, STEP * units.fs)
    dynamics.attach(lambda: expected.append(moving.get_total_energy()))
    dynamics.run(50)
    # LAMMPS's factor between amu Å²/ps² and eV has eight digits: 5e-8 of some eV of kinetic energy
    np.testing.assert_allclose(energies, expected, rtol=0, atol=5e-7)
    # neither wrapping nor another order is a reason to look for neighbours again
    assert calculator._neighbors.n_rebuilds == moving.calc._neighbors.n_rebuilds


def test_energies_of_atoms(lmp, potential, calculator, rng):
    atoms = crystal(rng)
    put(lmp, atoms, SPECIES)
    attach(lmp, calculator, SPECIES)
    lmp.commands_string("compute each all pe/atom\ncompute sum all reduce sum c_each\nthermo_style custom pe c_sum\nrun 0")
    energies = lmp.numpy.extract_compute("each", 1, 1)[np.argsort(lmp.numpy.extract_atom("id")[: len(atoms)])]
    atoms.calc = MLFFCalculator(potential, dtype="float64")
    np.testing.assert_allclose(energies, atoms.get_potential_energies(), rtol=0, atol=1e-11)


def li3ps4() -> Atoms:
    """The shipped model's crystal at rest, 16 atoms of γ-Li3PS4."""
    return next(atoms for atoms in iread(bundled_folder("data") / "li3ps4.extxyz.gz") if len(atoms) == 16)


@pytest.mark.parametrize("box", ["iso 0 0 0.02", "tri 0 0 0.1"])
def test_the_box_moves(box, lmp, rng):
    """NPT: LAMMPS's pressure is the model's with the kinetic one, also after the box changed, and then the model's answers are those of
    the structure that LAMMPS holds."""
    calculator = MLFFCalculator.load("bundled:li3ps4", dtype="float64")
    species, atoms = calculator.runner.species, li3ps4()
    atoms.rattle(0.05, rng=rng)
    put(lmp, heated(atoms, rng), species)
    attach(lmp, calculator, species)
    before = lmp.extract_box()
    lmp.commands_string(f"timestep 0.001\nfix box all npt temp 300 300 0.1 {box}\nthermo 1\nrun 20")
    after = lmp.extract_box()
    assert abs(np.subtract(after[1], before[1])).min() > 0.01  # Å
    held = held_by(lmp, atoms)
    held.calc = MLFFCalculator.load("bundled:li3ps4", dtype="float64")
    assert lmp.get_thermo("pe") == pytest.approx(held.get_potential_energy(), abs=1e-10)
    kinetic = np.einsum("n,ni,nj->ij", held.get_masses(), held.get_velocities(), held.get_velocities()) / held.get_volume()
    pressure = (kinetic - held.get_stress(voigt=False)) * lmp.extract_global("nktv2p")
    # 5e-8: the digits of LAMMPS's factor of the kinetic energy
    for name, (i, j) in {"pxx": (0, 0), "pyy": (1, 1), "pzz": (2, 2), "pxy": (0, 1), "pxz": (0, 2), "pyz": (1, 2)}.items():
        assert lmp.get_thermo(name) == pytest.approx(pressure[i, j], rel=1e-6, abs=1e-3)  # bar
    assert lmp.get_thermo("press") == pytest.approx(np.trace(pressure) / 3, rel=1e-6, abs=1e-3)


def held_by(lmp, atoms: Atoms) -> Atoms:
    """The structure in LAMMPS's frame, by LAMMPS's gathered arrays."""
    low, high, xy, yz, xz, _, _ = lmp.extract_box()
    cell = np.diag(np.subtract(high, low))
    cell[1, 0], cell[2, 0], cell[2, 1] = xy, xz, yz
    held = Atoms(atoms.symbols, np.array(lmp.gather_atoms("x", 1, 3)).reshape(-1, 3), cell=cell, pbc=True)
    held.set_velocities(np.array(lmp.gather_atoms("v", 1, 3)).reshape(-1, 3) / (1000 * units.fs))
    return held


def test_a_flip_of_the_box_is_followed(lmp, potential, calculator, rng):
    """A box tilted beyond half its length is replaced by another basis of the same lattice."""
    atoms = crystal(rng)
    put(lmp, atoms, SPECIES)
    attach(lmp, calculator, SPECIES)
    lmp.commands_string("fix still all nve\ntimestep 1e-9\nfix tilt all deform 1 xy delta 6.5 remap x flip yes\nrun 10")
    lmp.commands_string("unfix tilt\nrun 0")  # it deforms the box at the end of a step, after the forces
    box = lmp.extract_box()
    assert abs(box[2] - prism_of(atoms).cell[1, 0] - 6.5) > 6  # Å: it flipped
    held = held_by(lmp, atoms)
    held.calc = MLFFCalculator(potential, dtype="float64")
    assert lmp.get_thermo("pe") == pytest.approx(held.get_potential_energy(), abs=1e-10)
    np.testing.assert_allclose(np.array(lmp.gather_atoms("f", 1, 3)).reshape(-1, 3), held.get_forces(), rtol=0, atol=1e-10)


def test_an_error_of_the_model_ends_the_run(lmp, calculator, moving):
    """Ctypes would print it and go on with the forces of the step before."""
    put(lmp, moving, SPECIES)
    external = attach(lmp, calculator, SPECIES)
    lmp.command("fix moving all nve")
    calculate, steps = calculator.calculate, []

    def fails_at_the_fourth(*arguments):
        steps.append(len(steps))
        if len(steps) == 4:
            raise FloatingPointError("the model answered NaN")
        calculate(*arguments)

    calculator.calculate = fails_at_the_fourth
    with pytest.raises(Exception, match="stopped by FloatingPointError: the model answered NaN"):
        lmp.command("run 50")
    assert len(steps) == 4
    assert isinstance(external.error, FloatingPointError)
    assert np.isnan(lmp.gather_atoms("f", 1, 3)[:]).all()
    put(lmp, moving, SPECIES)
    assert attach(lmp, calculator, SPECIES).error is None
    lmp.command("run 5")


def test_what_does_not_fit_is_refused(lmp, calculator, rng):
    with pytest.raises(ValueError, match="LAMMPS has no box yet, expected one with its atom types"):
        attach(lmp, calculator, SPECIES)
    put(lmp, crystal(rng), SPECIES)
    with pytest.raises(ValueError, match="LAMMPS has 4 atom types, but species are Li, S; name one for each type, in order"):
        attach(lmp, calculator, ("Li", "S"))
    with pytest.raises(ValueError, match="species hold Na, but the model was trained on Li, P, S, Ge"):
        attach(lmp, calculator, ("Ge", "S", "P", "Na"))
    lmp.commands_string("clear\nunits lj\nregion r block 0 1 0 1 0 1\ncreate_box 1 r")
    with pytest.raises(ValueError, match="LAMMPS's units are lj, expected metal"):
        attach(lmp, calculator, ("Li",))


def test_more_than_one_process_is_refused(lmp, calculator, monkeypatch):
    monkeypatch.setattr(lmp, "extract_setting", {"world_size": 4}.get)
    with pytest.raises(ValueError, match="LAMMPS runs on 4 processes, expected one: the model has to see all atoms"):
        attach(lmp, calculator, SPECIES)


@pytest.fixture(scope="module")
def artefact(potential, tmp_path_factory):
    folder = tmp_path_factory.mktemp("artefact") / "model"
    return save(folder, potential, {"name": "test", "version": "0.1.0", "model": describe("lean2", size="XS"), "dtype": "float64"}, [])


def test_the_engine_answers_as_the_model(artefact, potential, tmp_path, moving, rng):
    engine = LAMMPSExternal(dtype="float64")
    assert engine.missing() is None
    engine.write(artefact, tmp_path)
    frames = [structure(name, rng) for name in STRUCTURES]
    for found, atoms in zip(engine.answers(tmp_path, frames), frames, strict=True):
        agree(found, atoms, potential)
    energies = engine.nve(tmp_path, moving, STEP, 5)
    assert energies.shape == (6,)
    moving.calc = MLFFCalculator(potential, dtype="float64")
    assert energies[0] == pytest.approx(moving.get_total_energy(), abs=5e-7)
    with pytest.raises(ValueError, match="the structure holds Na, but the atom types are Li, P, S, Ge"):
        engine.answers(tmp_path, [Atoms("NaS", [[0, 0, 0], [0, 0, 2.2]])])


def test_the_example_runs_as_it_is(artefact, tmp_path, rng):
    LAMMPSExternal().write(artefact, tmp_path)
    atoms = crystal(rng)
    write(tmp_path / "structure.extxyz", atoms)
    run = subprocess.run([sys.executable, "run.py", "20"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    first, last = [line.split() for line in run.stdout.splitlines() if line.split()[:1] in (["0"], ["20"])][:2]
    assert float(last[1]) == pytest.approx(0.02)  # ps
    assert float(first[2]) == pytest.approx(600)  # K
    atoms.calc = MLFFCalculator.load(artefact)
    assert float(first[3]) == pytest.approx(atoms.get_potential_energy(), abs=1e-3)
    assert (tmp_path / "run.dump").read_text().count("ITEM: TIMESTEP") == 3


def test_species_in_a_wrong_order_are_noticed(lmp, calculator, rng):
    put(lmp, crystal(rng), SPECIES)
    expected = r"atom type 1 has mass 72.63, but species call it Li \(6.94\); .*are they in the order of the types\?"
    with pytest.warns(UserWarning, match=expected):
        attach(lmp, calculator, ("Li", "S", "P", "Ge"))
