"""A known path comes back from wrapped positions, in any cell that moves; what cannot be known is told."""

import numpy as np
import pytest

from mlff.trajectory.formats.wrapping import wrapped
from mlff.trajectory.unwrapping import Unwrapper
from tests.trajectory.paths import TRICLINIC, path_of, sulphide

PERIODIC = np.ones(3, bool)
SKEWED = np.array([[10.0, 0.0, 0.0], [38.0, 10.0, 0.0], [0.0, 27.0, 10.0]])  # a cube of 10 Å but for small changes, by long vectors


def unwrapped(positions, cells, pbc=PERIODIC, images=False, size=1000):
    """(positions, cells, moved) of all frames, given `size` at a time."""
    unwrapper, parts = Unwrapper(pbc), []
    for k in range(0, len(positions), size):
        n = len(positions[k : k + size])
        found = unwrapper(positions[k : k + size], cells[k : k + size], np.full(n, not images))
        parts.append((found.positions, found.cells, found.moved))
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


@pytest.mark.parametrize("cell", [TRICLINIC, SKEWED, np.diag([8.0, 9.0, 10.0])], ids=["triclinic", "skewed", "straight"])
@pytest.mark.parametrize("fluctuating", [False, True])
def test_a_known_path_in_a_cell_that_breathes_and_shears(rng, cell, fluctuating):
    frames = path_of(sulphide(rng, cell), 200, rng)
    t = np.arange(200)[:, None, None]
    cells = frames.cells @ (np.eye(3) + 0.03 * fluctuating * np.sin(0.37 * t + np.arange(9.0).reshape(3, 3)))
    # about 1 Å from frame to frame at most, and 100 Å in all, in cells whose heights are 10 Å
    path = np.cumsum(rng.normal(scale=0.3, size=(200, 12, 3)), axis=0) + np.linspace(0, 100, 200)[:, None, None] * [1, -1, 0.5]
    positions = path @ np.linalg.inv(frames.cells) @ cells
    inside, images = wrapped(positions, cells, PERIODIC)
    assert np.ptp(images, axis=0).max() > 5
    found, _, moved = unwrapped(inside, cells)
    np.testing.assert_allclose(found, positions - images[0] @ cells, rtol=0, atol=1e-10)
    expected = np.diff(positions @ np.linalg.inv(cells), axis=0) @ cells[1:]
    np.testing.assert_allclose(moved[1:], np.linalg.norm(expected, axis=2), rtol=0, atol=1e-10)
    assert not moved[0].any()


def test_in_a_skewed_cell_half_of_a_vector_is_a_short_way():
    """2 Å along y are 0.2 of b and −0.76 of a, which rounding in the given basis would take for 0.24."""
    positions = np.array([[[1.0, 1.0, 1.0]], [[1.0, 3.0, 1.0]]])
    found, _, moved = unwrapped(wrapped(positions, np.stack([SKEWED] * 2), PERIODIC)[0], np.stack([SKEWED] * 2))
    np.testing.assert_allclose(found[1] - found[0], [[0, 2, 0]], atol=1e-12)
    np.testing.assert_allclose(moved[1], 2, atol=1e-12)


def test_a_growing_cell_moves_nobody():
    """An atom at rest in a cell that doubles its volume, far from the corner: it would be 100 Å away by Cartesian differences."""
    cells = np.linspace(1, 2 ** (1 / 3), 50)[:, None, None] * TRICLINIC
    positions = np.array([40.3, -37.2, 12.1]) @ cells
    found, _, moved = unwrapped(positions[:, None], cells)
    np.testing.assert_allclose(found[:, 0], positions, rtol=0, atol=1e-10)
    assert np.abs(moved).max() < 1e-10


@pytest.mark.parametrize("size", [1, 7, 64])
def test_any_chunking_gives_the_same_bits(rng, size):
    frames = path_of(sulphide(rng), 100, rng, fluctuating=True)
    inside = wrapped(frames.positions, frames.cells, PERIODIC)[0]
    for one, other in zip(unwrapped(inside, frames.cells), unwrapped(inside, frames.cells, size=size), strict=True):
        np.testing.assert_array_equal(one, other)


def test_images_that_are_given_are_used_and_not_guessed():
    """A jump of 0.8 of a cell: taken as it is, or for −0.2."""
    cells = np.stack([np.eye(3) * 10] * 2)
    positions = np.array([[[1.0, 1, 1]], [[9.0, 1, 1]]])
    np.testing.assert_array_equal(unwrapped(positions, cells, images=True)[0], positions)
    np.testing.assert_allclose(unwrapped(positions, cells)[0][1, 0], [-1, 1, 1], atol=1e-12)


@pytest.mark.parametrize("height", [0.0, 20.0], ids=["no third vector", "a third vector"])
def test_an_axis_that_is_not_periodic_is_not_wrapped(height):
    cells = np.stack([np.diag([10.0, 10.0, height])] * 2)
    positions = np.array([[[1.0, 1, 1]], [[9.0, 1, 19]]])
    found, _, moved = unwrapped(positions, cells, pbc=np.array([True, True, False]))
    np.testing.assert_allclose(found[1, 0], [-1, 1, 19], atol=1e-12)
    np.testing.assert_allclose(moved[1, 0], np.hypot(2, 18), atol=1e-12)


def test_far_from_the_origin_nothing_is_lost(rng):
    """500 Å away, where float32 errs by 3e-5 Å."""
    frames = path_of(sulphide(rng), 50, rng)
    found = unwrapped(frames.positions + 500, frames.cells)[0]
    np.testing.assert_allclose(found, frames.positions + 500, rtol=0, atol=1e-12)


def test_a_box_that_flips_is_the_same_lattice(rng):
    """The tilt grows from 0.3 to 0.7 of a; past one half, LAMMPS takes a off b. Neither the path nor the cell may jump."""
    tilts = np.linspace(3, 7, 60)
    cells = np.stack([np.array([[10.0, 0, 0], [tilt, 9, 0], [1, 2, 11]]) for tilt in tilts])
    flipped = cells.copy()
    flipped[tilts > 5, 1] -= cells[0, 0]
    path = rng.random((1, 5, 3)) + 0.05 * np.arange(60)[:, None, None] * rng.normal(size=(5, 3))
    inside, images = wrapped(path @ cells, flipped, PERIODIC)
    for size in (1000, 1, 9):
        found, continuous, _ = unwrapped(inside, flipped, size=size)
        np.testing.assert_allclose(continuous, cells, rtol=0, atol=1e-12)
        np.testing.assert_allclose(found, path @ cells - images[0] @ cells, rtol=0, atol=1e-10)


def test_an_image_that_cannot_be_told_is_counted():
    cells, positions = np.stack([np.eye(3) * 10] * 4), np.zeros((4, 2, 3))
    positions[:, 1, 2] = [0, 3.9, 8.0, 8.1]  # 0.39 and 0.41 of the cell
    found = Unwrapper(PERIODIC)(positions, cells, np.ones(4, bool))
    assert (found.ambiguous.tolist(), found.ambiguous_atoms.tolist()) == ([2], [1])
    assert not len(Unwrapper(PERIODIC)(positions, cells, np.zeros(4, bool)).ambiguous)  # given images are no guess
    assert not len(Unwrapper(np.array([True, True, False]))(positions, cells, np.ones(4, bool)).ambiguous)


def test_a_periodic_cell_without_volume_is_refused():
    with pytest.raises(ValueError, match=r"found a cell of 0 Å³ that is periodic along abc, expected one with a volume"):
        unwrapped(np.zeros((1, 1, 3)), np.zeros((1, 3, 3)))
