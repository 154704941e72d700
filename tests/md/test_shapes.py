import numpy as np
import pytest
import torch
from ase import Atoms

from mlff.geometry.superposition import angle, centred, superposition
from mlff.md.batch import Batch, Settings
from mlff.md.replica import Replica
from mlff.md.shapes import MeanShapes
from tests.geometry.anions import MASSES, TETRAHEDRON, cell_of_anions
from tests.md.toys import potential


def batch_of(*replicas: Replica) -> Batch:
    return Batch(potential(), replicas, Settings(1.0))


def lone(name: str, centres: list[list[float]]) -> Replica:
    """PS4 at these places."""
    atoms = Atoms(cell=np.eye(3) * 20, pbc=True)
    for centre in centres:
        atoms += Atoms("PS4", TETRAHEDRON + centre)
    return Replica(name, atoms, 300.0)


def turn(rng: np.random.Generator) -> np.ndarray:
    q = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    return q * np.linalg.det(q)


def test_the_mean_of_a_shape_that_turns_moves_and_vibrates_is_the_shape(rng):
    """Turned samples alone would average to nothing."""
    batch = batch_of(lone("a", [[5, 5, 5]]))
    start = batch.start().positions
    shapes = MeanShapes(batch, start)
    assert shapes.result() is None
    wiggle = rng.normal(scale=0.1, size=(5, 3))
    for k in range(60):
        own = (TETRAHEDRON + (-1) ** k * wiggle) @ turn(rng).T + rng.normal(size=3)
        # atoms of the batch: centre first, as in the structure
        shapes.add(torch.from_numpy(own))
    found = shapes.result()[0][0]
    c = centred(TETRAHEDRON, MASSES)
    turned, _ = superposition(c, found, MASSES)
    assert angle(turned) < 0.02
    # vibrations shorten by what they turn along with: of second order in their 0.1 Å
    np.testing.assert_allclose(found, c, atol=0.02)


def test_replicas_that_are_left_keep_their_sums_under_their_new_numbers(rng):
    """The first of three is stopped; the atoms of the others are others of the batch from then on."""
    replicas = [Replica(name, cell_of_anions(np.random.default_rng(k)), 300.0) for k, name in enumerate("abc")]
    replicas[0] = Replica("a", replicas[0].atoms[:10], 300.0)
    whole, left = batch_of(*replicas), batch_of(*replicas[1:])
    shapes, expected = MeanShapes(whole, whole.start().positions), MeanShapes(left, left.start().positions)
    for round_ in range(4):
        moved = whole.start().positions + 0.05 * torch.from_numpy(rng.normal(size=whole.start().positions.shape))
        if round_ < 2:
            shapes.add(moved)
        else:
            if round_ == 2:
                shapes.keep([1, 2], left)
            shapes.add(moved[10:])
        expected.add(moved[10:])
    for own, other in zip(shapes.result(), expected.result(), strict=True):
        assert own.keys() == other.keys() == set(range(4))
        for number in own:
            np.testing.assert_array_equal(own[number], other[number])
    again = MeanShapes(left, left.start().positions)
    again.restore(shapes.state())
    for own, other in zip(again.result(), shapes.result(), strict=True):
        for number in own:
            np.testing.assert_array_equal(own[number], other[number])


def test_what_was_forgotten_does_not_count():
    batch = batch_of(lone("a", [[5, 5, 5], [15, 5, 5]]))
    start = batch.start().positions
    shapes = MeanShapes(batch, start)
    shapes.add(1.3 * start)
    shapes.forget()
    assert shapes.result() is None
    shapes.add(start)
    for own in shapes.result()[0].values():
        assert own == pytest.approx(centred(TETRAHEDRON, MASSES), abs=1e-12)
