import numpy as np
import pytest

from mlff.analysis.framework.lattice_frame import LatticeFrame
from tests.analysis.trajectories import CELL, frames_of


def test_displacements_are_those_of_the_fractions(rng):
    """In terms of the first cell, and less the weighted mean of all; far from the origin."""
    fractions = 40.0 + rng.random((5, 3)) + 0.1 * rng.normal(size=(30, 5, 3)).cumsum(0)
    cells = CELL @ (np.eye(3) + 0.02 * rng.normal(size=(30, 3, 3)))
    weights = np.array([1.0, 0, 2, 0, 1])
    expected = (fractions - fractions[0]) @ cells[0]
    frame, all_of_them = LatticeFrame(np.array([3, 1])), LatticeFrame(np.array([3, 1]), weights)
    frames = frames_of(fractions @ cells, cells, every=5)
    np.testing.assert_allclose(frame.displacements(frames), expected[:, [3, 1]], atol=1e-9)
    mean = np.einsum("k,tkc->tc", weights / 4, expected)
    np.testing.assert_allclose(all_of_them.displacements(frames), expected[:, [3, 1]] - mean[:, None], atol=1e-9)
    np.testing.assert_allclose(frame.mean_cell, cells.mean(0))
    assert frame.step([0, 7]).tolist() == [0, 35]


def test_bad_frames_are_refused(rng):
    frame = LatticeFrame(np.array([0]), np.ones(3))
    frame.displacements(frames_of(rng.random((4, 3, 3))))
    uneven = frames_of(rng.random((8, 3, 3)))
    uneven.steps[6:] += 2
    with pytest.raises(ValueError, match="frames lie 1 steps apart, but from step 5 to 8; read with a stride"):
        frame.displacements(type(uneven)(uneven.steps[4:], uneven.positions[4:], uneven.cells[4:]))
    with pytest.raises(ValueError, match="found frames of 2 atoms after frames of 3"):
        frame.displacements(frames_of(rng.random((4, 2, 3))))
    with pytest.raises(ValueError, match="drift has 2 weights for 3 atoms"):
        LatticeFrame(np.array([0]), np.ones(2)).displacements(frames_of(rng.random((4, 3, 3))))
    with pytest.raises(ValueError, match="the first frame's cell has no volume"):
        LatticeFrame(np.array([0])).displacements(frames_of(rng.random((4, 3, 3)), np.zeros((3, 3))))
    with pytest.raises(ValueError, match="the weights of the drift sum to nothing"):
        LatticeFrame(np.array([0]), np.zeros(3))
    with pytest.raises(ValueError, match="found no atoms to follow"):
        LatticeFrame(np.zeros(0))
