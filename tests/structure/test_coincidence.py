"""Coincidence: one in Σ lattice points, and two grains that have one period in common."""

import numpy as np
import pytest

from mlff.structure.coincidence import boundary_cell, rotations

# Σ, axis → the smallest angle, degrees (as tabulated for cubic lattices)
KNOWN = {
    (3, (1, 1, 1)): 60.00,
    (3, (1, 1, 0)): 70.53,
    (5, (1, 0, 0)): 36.87,
    (7, (1, 1, 1)): 38.21,
    (9, (1, 1, 0)): 38.94,
    (11, (1, 1, 0)): 50.48,
    (13, (1, 0, 0)): 22.62,
    (13, (1, 1, 1)): 27.80,
    (17, (1, 0, 0)): 28.07,
    (29, (1, 0, 0)): 43.60,
}
BOUNDARIES = [
    (5, (1, 0, 0), (0, 2, 1)),
    (5, (1, 0, 0), (0, 3, 1)),
    (5, (0, 0, 1), (0, 0, 1)),
    (3, (1, 1, 1), (1, 1, 1)),
    (3, (1, 1, 0), (1, -1, 1)),
    (9, (1, 1, 0), (2, -2, 1)),
    (13, (1, 0, 0), (0, 3, 2)),
    (5, (1, 0, 0), (1, 2, 3)),
]


def coinciding(matrix, sigma, edge):
    """How many points of a cube of the first lattice are points of the second."""
    points = np.stack(np.meshgrid(*[np.arange(edge)] * 3, indexing="ij"), -1).reshape(-1, 3)
    return (((points @ matrix) % sigma) == 0).all(1).sum()


@pytest.mark.parametrize(("sigma", "axis"), KNOWN)
def test_one_in_sigma_points_coincides_after_the_tabulated_turn(sigma, axis):
    turns = rotations(sigma, axis)
    assert abs(turns[0].angle) == pytest.approx(KNOWN[sigma, axis], abs=0.005)
    for turn in turns:
        r = turn.matrix / sigma
        np.testing.assert_allclose(r @ r.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(r) == pytest.approx(1)
        np.testing.assert_allclose(r @ axis, axis, atol=1e-12)
        assert np.trace(r) == pytest.approx(1 + 2 * np.cos(np.radians(turn.angle)))
        # sigma divides the edge, so that the cube is a period of what coincides
        assert coinciding(turn.matrix, sigma, sigma) == sigma**2


@pytest.mark.parametrize(("sigma", "axis", "plane"), BOUNDARIES)
def test_the_period_is_one_box_in_both_lattices(sigma, axis, plane):
    cell = boundary_cell(sigma, axis, plane)
    r = cell.rotation.matrix / sigma
    np.testing.assert_allclose(cell.second @ r.T, cell.first, atol=1e-9)
    np.testing.assert_array_equal(cell.first[:2] @ plane, 0)
    assert not np.cross(cell.first[2], plane).any()
    volume = round(np.linalg.det(cell.first))
    assert volume > 0
    assert volume % sigma == 0  # the box is a whole number of periods of the coincidence lattice
    assert round(np.linalg.det(cell.second)) == volume


def test_the_periods_of_known_boundaries():
    tilt = boundary_cell(5, (1, 0, 0), (0, 2, 1))
    np.testing.assert_array_equal(tilt.first, [[1, 0, 0], [0, 1, -2], [0, 2, 1]])
    np.testing.assert_array_equal(abs(tilt.second), [[1, 0, 0], [0, 2, 1], [0, 1, 2]])
    twist = boundary_cell(5, (0, 0, 1), (0, 0, 1))
    np.testing.assert_allclose(np.linalg.norm(twist.first, axis=1), np.sqrt([5, 5, 1]))
    np.testing.assert_allclose(np.linalg.norm(boundary_cell(3, (1, 1, 1), (1, 1, 1)).first, axis=1), np.sqrt([2, 2, 3]))
    # a turn the other way: the same plane, another period
    assert boundary_cell(5, (1, 0, 0), (0, 2, 1), angle=36.87).first[2].tolist() == [0, 10, 5]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((4, (1, 0, 0), (0, 2, 1)), "found sigma 4, expected an odd number of 3 or more"),
        ((7, (1, 0, 0), (0, 2, 1)), r"found no turn about \[1, 0, 0\] with Σ = 7; Σ5 and Σ13 are"),
        ((5, (0, 0, 0), (0, 2, 1)), r"found axis \[0, 0, 0\], expected three whole numbers"),
        ((5, (1, 0, 0), (0, 2.5, 1)), r"found plane \[0, 2.5, 1\], expected three whole numbers"),
        ((5, (1, 0, 0), (0, 2, 1), 40.0), r"found no turn by 40.0 degrees about \[1, 0, 0\] with Σ = 5; choose one of -36.87, 36.87"),
    ],
)
def test_what_is_no_boundary_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        boundary_cell(*arguments)
