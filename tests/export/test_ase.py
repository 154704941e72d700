import numpy as np
import pytest
import torch
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress
from ase.stress import full_3x3_to_voigt_6_stress

from mlff.engine import Committee
from mlff.export.ase import MLFFCalculator
from tests.checks import answer_of
from tests.contracts.potentials import build, crystal


@pytest.fixture
def potential():
    return build("lean2", size="XS")


@pytest.fixture
def atoms(potential, rng):
    atoms = crystal(rng)
    atoms.calc = MLFFCalculator(potential, dtype="float64")
    return atoms


def test_results_are_the_potentials(potential, atoms):
    answer = answer_of(potential)(atoms)
    # 1e-11: the engine's float64 sums against the reference's
    assert atoms.get_potential_energy() == atoms.get_potential_energy(force_consistent=True) == pytest.approx(answer.energy, abs=1e-11)
    np.testing.assert_allclose(atoms.get_potential_energies(), answer.energies, rtol=0, atol=1e-11)
    np.testing.assert_allclose(atoms.get_forces(), answer.forces, rtol=0, atol=1e-11)
    np.testing.assert_allclose(atoms.get_stress(), full_3x3_to_voigt_6_stress(answer.stress), rtol=0, atol=1e-11)


def test_other_atoms_are_not_taken_for_the_same(potential, atoms, rng):
    """The neighbours of the atoms before must not be used for others."""
    calculator = atoms.calc
    for other in (crystal(rng, n=8), crystal(rng), crystal(rng, pbc=[True, False, True])):
        answer = answer_of(potential)(other)
        other.calc = calculator
        np.testing.assert_allclose(other.get_forces(), answer.forces, rtol=0, atol=1e-11)


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


def test_a_committee_says_what_its_members_say(rng):
    members = [build("lean", size="XS") for _ in range(3)]
    with torch.no_grad():
        for k, member in enumerate(members):
            for parameter in member.parameters():
                parameter.add_(0.05 * k)
    atoms = crystal(rng)
    alone = []
    for member in members:
        atoms.calc = MLFFCalculator(member, dtype="float64")
        alone.append((atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()))
    energies, forces, stresses = (np.array(values) for values in zip(*alone, strict=True))
    atoms.calc = MLFFCalculator(Committee(members), dtype="float64")
    # 1e-12: float64 sums in another order
    assert atoms.get_potential_energy() == pytest.approx(energies.mean(), rel=1e-12)
    np.testing.assert_allclose(atoms.get_forces(), forces.mean(0), atol=1e-12)
    np.testing.assert_allclose(atoms.get_stress(), stresses.mean(0), atol=1e-12)
    results = atoms.calc.results
    for name, values in (("energy", energies), ("forces", forces), ("stress", stresses)):
        np.testing.assert_allclose(results[f"{name}_comm"], values, atol=1e-12)
        np.testing.assert_allclose(results[f"{name}_var"], values.var(0), rtol=1e-9, atol=1e-12)
    assert results["energy_std"] == pytest.approx(energies.std())
    # a norm over x, y and z, and the population's: not the square root of a mean over components, nor ddof 1
    deviation = np.sqrt(np.square(forces - forces.mean(0)).sum(-1).mean(0))
    np.testing.assert_allclose(results["forces_std"], deviation, rtol=1e-9)
    np.testing.assert_array_equal(atoms.calc.get_property("forces_std", atoms), results["forces_std"])
