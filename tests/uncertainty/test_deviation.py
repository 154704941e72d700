import numpy as np
import pytest

from mlff.data.dataset import graph_of
from mlff.engine import Committee
from mlff.uncertainty import frame_deviation, relative_force_deviation
from tests.checks import frame_of, random_orthogonal
from tests.contracts.potentials import build, crystal


@pytest.fixture
def members(rng):
    """Forces, energies and virials of four members for five atoms."""
    return rng.normal(size=(4, 5, 3)), rng.normal(size=(4, 5)), rng.normal(size=(4, 3, 3))


def test_two_members_deviate_by_half_their_difference():
    """ε_F = ‖F¹ − F²‖/2 with ddof 0: for (3, 0, 0) and (0, 4, 0) that is 5/2; with ddof 1 it were 5/√2."""
    forces = np.array([[[3.0, 0, 0]], [[0, 4.0, 0]]])
    found = frame_deviation(forces, np.array([[1.0], [2.0]]), np.array([np.zeros((3, 3)), np.full((3, 3), 8.0)]))
    assert found.force == pytest.approx([2.5])
    assert found.energy == pytest.approx([0.5])
    assert found.virial == pytest.approx(np.full((3, 3), 4.0))


def test_it_is_the_mean_square_distance_from_the_mean(members):
    forces, energies, virials = members
    found = frame_deviation(forces, energies, virials)
    for atom in range(5):
        distances = [np.linalg.norm(forces[k, atom] - forces[:, atom].mean(0)) for k in range(4)]
        assert found.force[atom] == pytest.approx(np.sqrt(np.mean(np.square(distances))))
    np.testing.assert_allclose(found.virial[1, 2], virials[:, 1, 2].std() / 5)
    assert (found.max_force, found.min_force, found.mean_force) == (found.force.max(), found.force.min(), pytest.approx(found.force.mean()))
    assert found.mean_virial == pytest.approx(np.sqrt(np.mean(np.square(found.virial))))
    assert found.min_virial < found.mean_virial < found.max_virial


def test_it_does_not_turn_with_the_frame_nor_move_with_what_members_share(members, rng):
    forces, _, _ = members
    turned = forces @ random_orthogonal(rng, reflect=True).T + rng.normal(size=(5, 3))
    np.testing.assert_allclose(frame_deviation(turned).force, frame_deviation(forces).force)


def test_the_spread_of_one_component_is_the_deviation_over_root_three(rng):
    """ε_F read as σ of a component would be too wide by √3. 4,000 atoms: their mean scatters by 0.5 %."""
    forces = 0.1 * rng.normal(size=(50, 4000, 3))
    per_component = np.sqrt(np.mean(np.square(frame_deviation(forces).force)) / 3)
    assert per_component == pytest.approx(forces.std(0).mean(), rel=0.02)


def test_deviations_scale_as_forces_do_and_the_norm_of_a_variance_does_not(members):
    """In meV/Å the numbers are a thousand times those in eV/Å; a norm of variances printed as a force grows by a million."""
    forces, energies, virials = members

    def norm_of_variance(values):
        return np.linalg.norm(values.var(0), axis=-1)

    one, milli = frame_deviation(forces, energies, virials), frame_deviation(1e3 * forces, 1e3 * energies, 1e3 * virials)
    for name in ("force", "energy", "virial"):
        np.testing.assert_allclose(getattr(milli, name), 1e3 * getattr(one, name))
    np.testing.assert_allclose(norm_of_variance(1e3 * forces), 1e6 * norm_of_variance(forces))
    assert not np.allclose(norm_of_variance(forces), one.force, rtol=0.1)


def test_relative_deviation_is_bounded_by_the_level_at_rest(members):
    forces, _, _ = members
    expected = frame_deviation(forces).force / (np.linalg.norm(forces.mean(0), axis=1) + 0.3)
    np.testing.assert_allclose(relative_force_deviation(forces, 0.3), expected)
    resting = forces - forces.mean(0)
    np.testing.assert_allclose(relative_force_deviation(resting, 0.3), frame_deviation(forces).force / 0.3)
    with pytest.raises(ValueError, match="level is 0, expected a force above 0"):
        relative_force_deviation(forces, 0)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_member_that_has_diverged_disagrees_without_bound(members, broken):
    forces, _, _ = members
    forces[2, 3, 1] = broken
    found = frame_deviation(forces)
    assert np.isinf(found.force).tolist() == [False, False, False, True, False]
    assert found.max_force == np.inf
    assert np.isinf(relative_force_deviation(forces, 0.1)[3])


def test_it_is_what_a_committee_says_of_itself(rng):
    members = [build("lean", size="XS") for _ in range(3)]
    for k, member in enumerate(members):
        member.architecture.readout.last.weight.mul_(1 + 0.3 * k)
    prediction = Committee(members)(graph_of(frame_of(crystal(rng)), members[0].species, members[0].r_max))
    found = frame_deviation(prediction.members.forces.numpy(), prediction.members.energies.numpy())
    assert found.min_force > 1e-3
    np.testing.assert_allclose(found.force, prediction.forces_std, rtol=1e-9)
    np.testing.assert_allclose(found.energy, prediction.energies_std, rtol=1e-9)


def test_without_virials_their_columns_are_unknown_and_not_zero(members):
    found = frame_deviation(members[0])
    assert np.isnan([found.max_virial, found.min_virial, found.mean_virial]).all()


def test_shapes_and_single_members_are_refused(members):
    forces, energies, virials = members
    with pytest.raises(ValueError, match=r"forces of the members have shape \(5, 3\), expected \(n_members, n, 3\)"):
        frame_deviation(forces[0])
    with pytest.raises(ValueError, match=r"energies of the members have shape \(4, 4\), expected \(4, 5\)"):
        frame_deviation(forces, energies[:, :4])
    with pytest.raises(ValueError, match=r"virials of the members have shape \(3, 3, 3\), expected \(4, 3, 3\)"):
        frame_deviation(forces, virials=virials[:3])
    with pytest.raises(ValueError, match="expected at least 2; one potential has no deviation"):
        frame_deviation(forces[:1])
