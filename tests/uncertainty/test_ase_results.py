import numpy as np
import pytest
from ase.stress import voigt_6_to_full_3x3_stress

from mlff.uncertainty import committee_results, frame_deviation
from mlff.units import EV_PER_A3_TO_GPA, HARTREE


@pytest.fixture
def members(rng):
    """Three atoms: their forces have the shape of stresses."""
    skew = rng.normal(size=(4, 3, 3))
    return rng.normal(size=4), rng.normal(size=(4, 3, 3)), skew + skew.swapaxes(1, 2)


def test_every_member_is_under_its_own_name(members):
    energies, forces, stresses = members
    found = committee_results(energies, forces, stresses)
    np.testing.assert_array_equal(found["energy_comm"], energies)
    np.testing.assert_array_equal(found["forces_comm"], forces)
    np.testing.assert_allclose([voigt_6_to_full_3x3_stress(s) for s in found["stress_comm"]], stresses)
    shapes = {name: np.shape(value) for name, value in found.items() if not name.endswith("_comm")}
    assert shapes == {"energy_std": (), "forces_std": (3,), "energy_var": (), "forces_var": (3, 3), "stress_var": (6,)}


def test_forces_in_the_place_of_stresses_are_found_out(members):
    """With three atoms the shape does not tell them apart, but a stress is symmetric."""
    energies, forces, stresses = members
    with pytest.raises(ValueError, match="expected symmetric tensors; forces of three atoms"):
        committee_results(energies, forces, forces)
    assert "stress_comm" in committee_results(energies, forces, stresses.astype(np.float32))  # rounding is no skew
    with pytest.raises(ValueError, match=r"stresses have shape \(4, 5, 3\), expected \(4, 3, 3\)"):
        committee_results(energies, np.zeros((4, 5, 3)), np.zeros((4, 5, 3)))


def test_the_force_deviation_is_a_length_and_the_variances_are_of_components(members):
    found = committee_results(*members)
    np.testing.assert_allclose(found["forces_std"], frame_deviation(members[1]).force)
    np.testing.assert_allclose(np.square(found["forces_std"]), found["forces_var"].sum(1))
    assert found["energy_std"] ** 2 == pytest.approx(found["energy_var"])


@pytest.mark.parametrize(("name", "unit"), [("energy", HARTREE), ("forces", 1e3), ("stress", EV_PER_A3_TO_GPA)])
def test_variances_scale_with_the_square_of_a_unit_factor(members, name, unit):
    """A variance that was converted by the factor itself, as is done elsewhere, is not the variance of the converted members."""
    ours = committee_results(*members)
    converted = committee_results(*(unit * values for values in members))
    np.testing.assert_allclose(converted[f"{name}_var"], unit**2 * ours[f"{name}_var"])
    np.testing.assert_allclose(converted[f"{name}_var"], converted[f"{name}_comm"].var(0))
    scaled_once = unit * ours[f"{name}_var"]
    assert not np.allclose(scaled_once, converted[f"{name}_comm"].var(0), rtol=0.5)


def test_without_stresses_there_is_no_stress_entry(members):
    assert not any("stress" in name for name in committee_results(*members[:2]))


def test_one_member_is_refused(members):
    energies, forces, _ = members
    with pytest.raises(ValueError, match="at least 2 members"):
        committee_results(energies[:1], forces[:1])
