import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress
from ase.stress import full_3x3_to_voigt_6_stress

from mlff.export.ase import MLFFCalculator
from tests.checks import answer_of
from tests.contracts.potentials import build, crystal


@pytest.fixture
def atoms(rng):
    atoms = crystal(rng)
    atoms.calc = MLFFCalculator(build("lean2", size="XS"), dtype="float64")
    return atoms


def test_results_are_the_potentials(atoms):
    answer = answer_of(atoms.calc.potential)(atoms)
    assert atoms.get_potential_energy() == atoms.get_potential_energy(force_consistent=True) == answer.energy
    np.testing.assert_array_equal(atoms.get_potential_energies(), answer.energies)
    np.testing.assert_array_equal(atoms.get_forces(), answer.forces)
    np.testing.assert_array_equal(atoms.get_stress(), full_3x3_to_voigt_6_stress(answer.stress))


def test_ases_own_differences_agree(atoms):
    np.testing.assert_allclose(calculate_numerical_forces(atoms, eps=1e-4, iatoms=[0, 5]), atoms.get_forces()[[0, 5]], atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(calculate_numerical_stress(atoms, eps=1e-5), atoms.get_stress(), atol=1e-7, rtol=1e-5)


def test_no_cell_no_stress():
    atoms = Atoms("LiS", [[0, 0, 0], [0, 0, 2.2]], calculator=MLFFCalculator(build("lean2", size="XS")))
    assert np.isfinite(atoms.get_forces()).all()
    with pytest.raises(PropertyNotImplementedError, match="stress needs a volume, but the cell has rank 0"):
        atoms.get_stress()


def test_unknown_species():
    atoms = Atoms("NaS", [[0, 0, 0], [0, 0, 2.2]], calculator=MLFFCalculator(build("lean2", size="XS")))
    with pytest.raises(ValueError, match="holds Na, but the model was trained on Li, P, S, Ge"):
        atoms.get_potential_energy()


def test_two_atoms_at_one_place():
    atoms = Atoms("LiS", [[0, 0, 0], [0, 0, 0]], calculator=MLFFCalculator(build("lean2", size="XS")))
    with pytest.raises(FloatingPointError, match="the shortest distance is 0 Å"):
        atoms.get_potential_energy()


def test_dtype_is_checked():
    with pytest.raises(ValueError, match="expected 'float32' or 'float64'"):
        MLFFCalculator(build("pair"), dtype="float16")
