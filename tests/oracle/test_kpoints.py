"""Divisions of the Brillouin zone: by hand, and by a spacing."""

import numpy as np
import pytest

from mlff.oracle.kpoints import KPoints, monkhorst_pack


def test_spacing_counts_planes_not_lengths():
    cell = np.diag([4.0, 8.0, 12.0])
    assert monkhorst_pack(cell, 0.4) == [4, 2, 2]
    # sheared, c grows to 14.4 Å at the same distance of its planes, while those of b come closer
    cell[2, 1] = 8.0
    assert monkhorst_pack(cell, 0.4) == [4, 3, 2]


@pytest.mark.parametrize("spacing", [0.1, 0.25, 0.4, 1.7])
def test_points_are_as_far_apart_as_asked_and_with_one_division_less_they_are_not(spacing):
    cell = np.array([[4.1, 0.0, 0.3], [0.7, 5.3, 0.0], [0.0, -1.1, 7.9]])
    reciprocal = 2 * np.pi * np.linalg.inv(cell).T
    for length, n in zip(np.linalg.norm(reciprocal, axis=1), monkhorst_pack(cell, spacing), strict=True):
        assert length / n <= spacing
        assert n == 1 or length / (n - 1) > spacing


def test_a_spacing_takes_the_place_of_divisions_and_names_the_label():
    cell = np.diag([4.0, 8.0, 12.0])
    assert KPoints.of([3, 3, 3], None).divisions(cell) == [3, 3, 3]
    assert KPoints.of([3, 3, 3], 0.4).divisions(cell) == [4, 2, 2]
    assert (KPoints.of([3, 3, 3], None).setting, KPoints.of([3, 3, 3], 0.4).setting) == ([3, 3, 3], "spacing 0.4 1/Å")


@pytest.mark.parametrize(
    ("mesh", "spacing", "message"),
    [
        ((2, 2), None, r"`oracle.kpoints` is \[2, 2\], expected three positive integers"),
        ((2, 0, 2), None, r"`oracle.kpoints` is \[2, 0, 2\], expected three positive integers"),
        ((1, 1, 1), 0.0, r"`oracle.kpoint_spacing` is 0.0, expected a positive number of 1/Å, or null"),
    ],
)
def test_what_is_no_mesh_is_refused(mesh, spacing, message):
    with pytest.raises(ValueError, match=message):
        KPoints.of(mesh, spacing)
