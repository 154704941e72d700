import numpy as np
import pytest

from mlff.analysis.anions.anion_bodies import bodies_of
from mlff.analysis.anions.body_rotation import quaternions, turned_by
from mlff.geometry import find_anions
from mlff.geometry.superposition import angle, superposition
from tests.analysis.turning_anions import P2S6, P2S7, PS4, about, trajectory
from tests.contracts.observables import rotations

THIN = np.array([[2.9, 0.0, 0.0], [9.0, 4.5, 0.0], [-7.0, 11.0, 5.0]])  # bonds of 2.05 Å are longer than half its width, and it is skewed


def bodies_in(system):
    return bodies_of(system.anions, system.numbers)


@pytest.mark.parametrize("anion", [PS4, P2S6, P2S7])
def test_each_is_in_one_piece(rng, anion):
    """Cut by the boundary and wrapped atom by atom: the shape is the template's."""
    system, frames = trajectory(rng, rotations(rng.normal(size=(5, 4, 3))), anion)
    (bodies,) = bodies_in(system)
    placed = bodies.place(frames.positions, frames.cells)
    template = np.linalg.norm(anion[1][:, None] - anion[1], axis=-1)
    found = np.linalg.norm(placed[:, :, :, None] - placed[:, :, None], axis=-1)
    for t, k in np.ndindex(5, 4):
        np.testing.assert_allclose(np.sort(found[t, k].ravel()), np.sort(template.ravel()), atol=1e-9)


def test_bonds_are_the_shortest_images_in_a_thin_skewed_cell(rng):
    system, _ = trajectory(rng, rotations(rng.normal(size=(1, 1, 3))))
    (bodies,) = bodies_in(system)
    positions = rng.normal(scale=30, size=(30, len(system.symbols), 3))
    placed = bodies.place(positions, np.broadcast_to(THIN, (30, 3, 3)))
    images = np.stack(np.meshgrid(*3 * [np.arange(-20, 21)], indexing="ij"), axis=-1).reshape(-1, 3)
    for t in range(30):
        wanted = positions[t, bodies.atoms[0, 1]] - positions[t, bodies.atoms[0, 0]]
        near = images - np.round(np.linalg.solve(THIN.T, wanted))
        shortest = np.linalg.norm(wanted + near @ THIN, axis=1).min()
        assert np.linalg.norm(placed[t, 0, 1]) == pytest.approx(shortest, abs=1e-9)


def test_axes_are_known_by_bonds(rng):
    turns = about([0, 0, 1], np.zeros((1, 4)))
    assert bodies_in(trajectory(rng, turns, PS4)[0])[0].axis is None
    for anion in (P2S6, P2S7):
        system, frames = trajectory(rng, turns, anion)
        (bodies,) = bodies_in(system)
        placed = bodies.place(frames.positions, frames.cells)[0, 0]
        head, tail = placed[bodies.axis[0]]
        np.testing.assert_allclose(np.abs(head - tail), [0, 0, 2 * anion[1][0, 2]], atol=1e-9)
    assert bodies.bonds.shape == (4, 8, 2)  # the bridge belongs to both


def test_the_poles_of_a_cage():
    """B10H10, a square antiprism with two caps: its axis joins the caps, which have four neighbours of the cage where others have five."""
    angle, twist = np.radians([0, 90, 180, 270]), np.radians(45)
    square = np.stack([1.3 * np.cos(angle), 1.3 * np.sin(angle), np.full(4, 0.76)], axis=1)
    other = np.stack([1.3 * np.cos(angle + twist), 1.3 * np.sin(angle + twist), np.full(4, -0.76)], axis=1)
    boron = np.concatenate([square, [[0, 0, 1.86]], other, [[0, 0, -1.86]]])
    hydrogen = boron * (1 + 1.2 / np.linalg.norm(boron, axis=1, keepdims=True))
    positions = np.concatenate([boron, hydrogen]) + 10
    numbers = np.array([5] * 10 + [1] * 10)
    (anion,) = find_anions(numbers, positions, 20 * np.eye(3), np.ones(3, bool))
    (bodies,) = bodies_of([anion], numbers)
    assert (bodies.kind, sorted(bodies.atoms[0, bodies.axis[0]])) == ("B10H10", [4, 9])


def test_rotations_are_those_of_the_superposition(rng):
    """Of bodies of any shape, planar ones too, distorted, and turned by up to 180°."""
    reference, masses = rng.normal(size=(60, 6, 3)), rng.uniform(1, 40, size=(60, 6))
    reference[:20, :, 2] = 0
    reference -= (reference * masses[..., None]).sum(1, keepdims=True) / masses.sum(1)[:, None, None]
    vectors = rng.normal(size=(60, 3))
    vectors[::3] *= np.pi / np.linalg.norm(vectors[::3], axis=1, keepdims=True)
    geometry = np.einsum("nab,nkb->nka", rotations(vectors), reference) + 0.1 * rng.normal(size=reference.shape)
    q = np.empty((1, 60, 4))
    quaternions(geometry[None], reference, masses, q)
    w, x, y, z = q[0].T
    found = np.stack(
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)]
        + [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)]
        + [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        axis=1,
    ).reshape(-1, 3, 3)
    expected, _ = superposition(reference, geometry, masses)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    one = np.array([1.0, 0, 0, 0])
    np.testing.assert_allclose(turned_by(q[0], one), np.degrees(angle(expected)), atol=1e-4)  # either loses digits near 180°


def test_small_turns_are_resolved():
    half = 0.5e-9
    assert turned_by(np.array([np.cos(half), np.sin(half), 0, 0]), np.array([1.0, 0, 0, 0])) == pytest.approx(np.degrees(1e-9), rel=1e-6)


def test_what_cannot_be_placed_is_refused(rng):
    system, frames = trajectory(rng, about([0, 0, 1], np.zeros((2, 1))))
    (bodies,) = bodies_in(system)
    with pytest.raises(ValueError, match="a cell has no volume, expected three cell vectors"):
        bodies.place(frames.positions, 0 * frames.cells)
    with pytest.raises(ValueError, match="a position that is not finite, expected Å"):
        bodies.place(np.nan * frames.positions, frames.cells)
