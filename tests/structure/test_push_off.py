"""Rigid bodies pushed off each other: apart afterwards, of the same shape, and moved no more than the repulsion needs."""

import numpy as np
import pytest
from ase import Atoms

from mlff.geometry.bonds import longest_bond
from mlff.structure import structure
from mlff.structure.bodies import Bodies, bodies_of
from mlff.structure.distances import contact_distance, contact_distances
from mlff.structure.push_off import pushed_off, too_near
from mlff.structure.thiophosphates import anion_shapes

CELL = np.array([[14.0, 0, 0], [3.0, 13.0, 0], [-2.0, 1.0, 15.0]])


def crowd(rng):
    """Anions of three kinds that interpenetrate, across the boundaries too, and Li among them."""
    atoms = Atoms(cell=CELL, pbc=True)
    for kind in ("PS4", "P2S7", "P2S6", "PS4", "P2S7", "P2S6", "PS4", "PS4"):
        shape = anion_shapes()[kind]
        shape.rotate(rng.uniform(0, 360), rng.normal(size=3))
        shape.positions += rng.uniform(size=3) @ CELL
        atoms += shape
    return atoms + Atoms("Li20", rng.uniform(size=(20, 3)) @ CELL)


def as_bodies(atoms, kinds):
    """What `bodies_of` would find if nothing overlapped."""
    of_atom = np.repeat(np.arange(len(kinds)), [len(anion_shapes()[kind]) if kind != "Li" else 1 for kind in kinds])
    return Bodies(atoms.numbers, atoms.positions, of_atom, np.array(kinds))


@pytest.fixture
def crowded(rng):
    return as_bodies(crowd(rng), ["PS4", "P2S7", "P2S6", "PS4", "P2S7", "P2S6", "PS4", "PS4", *["Li"] * 20])


def distances(bodies, k):
    places = bodies.positions[bodies.of_atom == k]
    return np.linalg.norm(places[:, None] - places, axis=-1)


def test_bodies_end_apart_and_keep_their_shapes(crowded):
    r_min = contact_distances()
    assert len(too_near(crowded, crowded.positions, CELL, r_min)[0]) > 50
    after = pushed_off(crowded, CELL, r_min)
    assert len(too_near(after, after.positions, CELL, r_min)[0]) == 0
    for k in range(8):
        np.testing.assert_allclose(distances(after, k), distances(crowded, k), atol=1e-9)
    # forces come in pairs, so that the whole does not drift
    np.testing.assert_allclose((after.positions - crowded.positions).sum(0), 0, atol=1e-6)
    again = pushed_off(crowded, CELL, r_min)
    np.testing.assert_array_equal(after.positions, again.positions)
    found = bodies_of(Atoms(after.numbers, after.positions, cell=CELL, pbc=True))
    assert sorted(found.kinds) == sorted(crowded.kinds)


def test_two_atoms_part_along_their_line_and_no_further():
    bodies = bodies_of(Atoms("LiCl", [[0, 0, 0.2], [0, 0, 1.2]], cell=20 * np.eye(3), pbc=True))
    bodies = pushed_off(bodies, 20 * np.eye(3), contact_distances())
    gap = bodies.positions[1] - bodies.positions[0]
    limit = contact_distance(np.array(3), np.array(17))
    np.testing.assert_allclose(gap[:2], 0, atol=1e-12)
    assert limit <= gap[2] < 1.1 * limit
    assert bodies.positions[:, 2].mean() == pytest.approx(0.7)


def test_crystals_keep_their_places():
    for name in ("Li7P3S11", "Li3PS4_gamma", "Li6PS5Cl_4c_0", "Na4P2S6_gamma", "Li4P2S6", "Na11Sn2PS12", "AgI_beta", "LiBH4"):
        atoms = structure(name)
        bodies = bodies_of(atoms)
        pairs = too_near(bodies, bodies.positions, atoms.cell.array, contact_distances())[0]
        assert len(pairs) == 0, (name, atoms.symbols[pairs[:3].ravel()])


def test_no_room_is_refused():
    bodies = bodies_of(Atoms("Cl2", [[0, 0, 0], [1.4, 1.5, 1.6]], cell=3 * np.eye(3), pbc=True))
    with pytest.raises(ValueError, match=r"found \d+ pairs of atoms too near each other, the worst Cl and Cl, .*; give more room"):
        pushed_off(bodies, 3 * np.eye(3), contact_distances(), rounds=30)


def test_a_body_may_not_overlap_its_own_image():
    atoms = anion_shapes()["PS4"]
    bodies = Bodies(atoms.numbers, atoms.positions, np.zeros(5, int), np.array(["PS4"]))
    assert len(too_near(bodies, bodies.positions, 12 * np.eye(3), contact_distances())[0]) == 0
    assert len(too_near(bodies, bodies.positions, np.diag([12, 12, 5.0]), contact_distances())[0]) > 0


def test_what_is_not_bonded_is_kept_farther_than_a_bond():
    elements = np.arange(1, 95)
    first, second = np.meshgrid(elements, elements)
    assert (contact_distance(first, second) > longest_bond(first, second)).all()
    assert np.isfinite(contact_distances()[1:, 1:]).all()


def test_torn_anions_are_no_bodies():
    torn = anion_shapes()["PS4"][:4]
    torn.set_cell(20 * np.eye(3))
    with pytest.raises(ValueError, match=r"found bonded pieces \['PS3'\], expected anions of known shapes"):
        bodies_of(torn)


def test_bodies_are_chosen_and_repeated():
    atoms = structure("Li3PS4_gamma")
    bodies = bodies_of(atoms)
    anions = np.flatnonzero(bodies.kinds == "PS4")
    chosen = bodies.chosen(np.array([anions[1], 5, anions[1]]))
    assert chosen.kinds.tolist() == ["PS4", bodies.kinds[5], "PS4"]
    np.testing.assert_array_equal(chosen.of_atom, [0] * 5 + [1] + [2] * 5)
    np.testing.assert_allclose(chosen.centres()[0], bodies.centres()[anions[1]])
    assert chosen.numbers[:5].tolist() == [15, 16, 16, 16, 16]
