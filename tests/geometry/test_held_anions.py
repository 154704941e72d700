import numpy as np
import pytest

from mlff.geometry.held_anions import hold
from mlff.geometry.superposition import angle, centred, superposition
from mlff.geometry.topology import find_anions
from tests.geometry.anions import MASSES, cell_of_anions


@pytest.fixture
def atoms(rng):
    return cell_of_anions(rng)


def held(atoms, mode, **options):
    anions = find_anions(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)
    return hold(anions, atoms.get_masses(), atoms.positions, atoms.cell.array, mode, **options)


def test_unconstrained_holds_nothing(atoms):
    groups, positions = held(atoms, "UC")
    assert groups == []
    np.testing.assert_array_equal(positions, atoms.positions)


@pytest.mark.parametrize("mode", ["RC", "TC", "RTC", "RTVC", "RVC", "TVC", "VC"])
def test_anions_begin_where_they_are_although_the_boundary_cuts_them(mode, atoms):
    (group,), positions = held(atoms, mode)
    assert group.atoms.shape == (4, 5)
    assert np.abs(group.shifts).max() == 1
    np.testing.assert_allclose(positions, atoms.positions, atol=1e-12)
    angles, determined = group.rotations(positions, atoms.cell.array)
    assert angles.max() < 1e-12
    assert determined.min() > 0.5


@pytest.mark.parametrize(
    ("mode", "n_removed", "pins"),
    [("RC", 3, False), ("TC", 3, True), ("RTC", 6, True), ("RVC", 12, False), ("VC", 9, False), ("TVC", 12, True), ("RTVC", 15, True)],
)
def test_degrees_of_freedom(mode, n_removed, pins, atoms):
    (group,), _ = held(atoms, mode)
    assert group.n_removed.tolist() == [n_removed] * 4
    assert group.pins_momentum is pins


def test_a_shape_is_laid_over_each_anion(atoms, rng):
    """Given in any orientation; vibrations constrained take it on, others only measure by it."""
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    shape = cell_of_anions(rng, thermal=0.0).positions[:5] @ (turn * np.linalg.det(turn)).T
    shapes = dict.fromkeys(range(4), shape)
    (group,), positions = held(atoms, "RTVC", shapes=shapes)
    taken = centred(group.geometry(positions, atoms.cell.array), group.masses)
    np.testing.assert_allclose(np.linalg.norm(taken, axis=-1), np.tile(np.linalg.norm(centred(shape, MASSES), axis=-1), (4, 1)), atol=1e-12)
    before = group.geometry(atoms.positions, atoms.cell.array)
    np.testing.assert_allclose(angle(superposition(taken, before, group.masses)[0]), 0, atol=1e-7)
    (group,), positions = held(atoms, "RC", shapes=shapes)
    np.testing.assert_array_equal(positions, atoms.positions)
    assert group.rotations(positions, atoms.cell.array)[0].max() < 1e-12


def test_anions_of_two_sizes_are_two_groups(atoms):
    atoms += atoms[:5]
    atoms.positions[-5:] += [0, 0, 6.5]
    del atoms[-1]  # PS3: no known shape
    groups, _ = held(atoms, "RC")
    assert [len(group.atoms) for group in groups] == [4]
