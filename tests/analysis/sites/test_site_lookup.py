"""In whose core a place lies: no image of a site is forgotten."""

import numpy as np

from mlff.analysis.sites.lookup import core_at, lookup

CELL = np.array([[5.0, 0, 0], [4.2, 3.0, 0], [-3.9, 2.4, 4.0]])  # the nearest image is not found by rounding fractions
SITES = np.array([[0.02, 0.5, 0.97], [0.55, 0.1, 0.4]])
CORES = np.array([1.1, 0.6])  # of a cell 1.7 Å thin


def test_the_table_agrees_with_all_images(rng):
    table = lookup(CELL, SITES, CORES)
    images = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    hits = 0
    for f in 3 * rng.random((2000, 3)) - 1:
        image = np.zeros(3, np.int64)
        s = core_at(table, *f, image)
        base = np.floor(f).astype(int)
        distances = np.linalg.norm((f - SITES[:, None] - base - images) @ CELL, axis=-1)
        inside = np.argwhere(distances < CORES[:, None])
        assert len(inside) == (s >= 0)
        if s >= 0:
            hits += 1
            assert s == inside[0, 0]
            np.testing.assert_array_equal(image, base + images[inside[0, 1]])
    assert 200 < hits < 1800


def test_a_place_that_rounds_to_the_far_border_is_in_the_cell():
    """−1e-17 is 1 after the floor is taken off."""
    image = np.zeros(3, np.int64)
    assert core_at(lookup(np.eye(3) * 4, np.zeros((1, 3)), np.ones(1)), -1e-17, 0.0, 0.0, image) == 0
    assert image.tolist() == [0, 0, 0]
