import numpy as np
import pytest

from mlff.geometry.anion_motion import MODES, constrained_motions, projector
from mlff.geometry.superposition import angle, centred, superposition

LINEAR = {"", "R", "T", "RT", "RV", "RTV"}
TETRAHEDRON = 1.18 * np.array([[0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
MASSES = np.array([30.97, 32.06, 32.06, 32.06, 32.06])


@pytest.fixture
def distorted(rng):
    return TETRAHEDRON + rng.normal(scale=0.1, size=(5, 3)) + [3.0, -2.0, 1.0]


@pytest.mark.parametrize(
    ("motions", "rank"), [("", 0), ("R", 3), ("T", 3), ("RT", 6), ("RV", 12), ("RTV", 15)], ids=lambda value: str(value) or "none"
)
def test_it_takes_away_as_many_degrees_of_freedom_as_the_motion_has(motions, rank, distorted):
    p, removed = projector(MASSES, distorted, motions)
    assert removed == rank
    np.testing.assert_allclose(p @ p, p, atol=1e-13)
    assert round(np.trace(p)) == 15 - rank
    # orthogonal in the metric of the masses: a projection never feeds energy in
    weights = np.repeat(MASSES, 3)
    np.testing.assert_allclose(weights[:, None] * p, (weights[:, None] * p).T, atol=1e-12)


@pytest.mark.parametrize(("motions", "rank"), [("R", 2), ("RT", 5), ("RTV", 6)])
def test_a_linear_anion_does_not_turn_about_its_axis(motions, rank):
    p, removed = projector(np.array([12.0, 14.0]), np.array([[0.0, 0.0, 0.0], [0.3, 0.7, 0.9]]), motions)
    assert removed == rank
    assert round(np.trace(p)) == 6 - rank


def test_what_each_motion_leaves(distorted, rng):
    c = centred(distorted, MASSES)
    shift, turn = rng.normal(size=(2, 3))
    translation, rotation = np.tile(shift, (5, 1)), np.cross(turn, c)
    vibration = projector(MASSES, distorted, "RT")[0] @ rng.normal(size=15)
    whole = {"T": translation.ravel(), "R": rotation.ravel(), "V": vibration}
    for motions in LINEAR:
        p = projector(MASSES, distorted, motions)[0]
        for motion, velocities in whole.items():
            np.testing.assert_allclose(p @ velocities, 0 * velocities if motion in motions else velocities, atol=1e-12)


def test_rotation_and_vibration_leave_momentum_alone(distorted, rng):
    for motions in ("R", "RV"):
        v = rng.normal(size=15)
        after = (projector(MASSES, distorted, motions)[0] @ v).reshape(5, 3)
        np.testing.assert_allclose(MASSES @ after, MASSES @ v.reshape(5, 3), atol=1e-12)


def test_vibration_alone_has_no_constant_projector(distorted):
    with pytest.raises(ValueError, match="no constant projector holds an anion that turns"):
        projector(MASSES, distorted, "TV")


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match=r"constraint mode is 'RTX', expected one of UC, RC"):
        constrained_motions("RTX")
    assert sorted(map(constrained_motions, MODES)) == sorted(MODES.values())


def test_superposition_finds_the_rotation_and_satisfies_eckart(rng):
    axis = rng.normal(size=(4, 3))
    axis /= np.linalg.norm(axis, axis=1)[:, None]
    angles = np.array([1e-9, 1e-4, 1.0, 3.0])
    skew = np.cross(np.eye(3), axis[:, None, :])
    q = np.eye(3) + np.sin(angles)[:, None, None] * skew + (1 - np.cos(angles))[:, None, None] * skew @ skew
    geometry = TETRAHEDRON @ q.transpose(0, 2, 1) + rng.normal(size=(4, 1, 3))
    found, determined = superposition(TETRAHEDRON, geometry, MASSES)
    np.testing.assert_allclose(found, q, atol=1e-12)
    np.testing.assert_allclose(angle(found), angles, rtol=0, atol=1e-10)  # of a rotation to 1e-16 per element
    assert (determined > 0.5).all()
    bent = geometry + rng.normal(scale=0.1, size=geometry.shape)
    found, _ = superposition(TETRAHEDRON, bent, MASSES)
    moment = np.einsum("i,kia->ka", MASSES, np.cross(TETRAHEDRON @ found.transpose(0, 2, 1), centred(bent, MASSES)))
    np.testing.assert_allclose(moment, 0, atol=1e-11)


def test_a_body_turned_inside_out_is_seen():
    """A tetrahedron's mirror image is no rotation of it, ligand by ligand."""
    _, determined = superposition(TETRAHEDRON, -TETRAHEDRON, MASSES)
    assert determined < 1e-9
    _, flat = superposition(TETRAHEDRON * [1, 1, 0], TETRAHEDRON * [1, 1, 0], MASSES)
    assert flat > 0.5
