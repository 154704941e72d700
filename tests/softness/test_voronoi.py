"""Voronoi volumes: known lattices, and what must add up."""

import numpy as np
import pytest
from ase.build import bulk

from softness.voronoi import voronoi_volumes

CELL = np.array([[9.0, 0.0, 0.0], [3.0, 8.0, 0.0], [-2.0, 2.5, 10.0]])


def test_all_of_space_is_someones(rng):
    positions = rng.random((40, 3)) @ CELL + 100.0
    volumes = voronoi_volumes(positions, CELL)
    assert volumes.sum() == pytest.approx(abs(np.linalg.det(CELL)), rel=1e-9)
    assert volumes.std() > 1.0
    np.testing.assert_allclose(voronoi_volumes(positions, CELL, [7, 3]), volumes[[7, 3]], rtol=1e-9)


def test_one_atom_has_the_whole_cell():
    for crystal in (bulk("Al", "fcc", a=4.05), bulk("Fe", "bcc", a=2.87)):
        volume = voronoi_volumes(crystal.positions, crystal.cell.array)
        assert volume == pytest.approx([crystal.cell.volume], rel=1e-9)


def test_few_atoms_in_a_large_cell(rng):
    """Volumes that reach further than the first images."""
    cell = np.diag([30.0, 25.0, 40.0])
    volumes = voronoi_volumes(rng.random((3, 3)) @ cell, cell)
    assert volumes.sum() == pytest.approx(30.0 * 25 * 40, rel=1e-9)


def test_a_supercell_has_the_same_volumes(rng):
    positions = rng.random((15, 3)) @ CELL
    volumes = voronoi_volumes(positions, CELL)
    twice = voronoi_volumes(np.concatenate([positions, positions + CELL[2]]), CELL * [[1], [1], [2]])
    np.testing.assert_allclose(twice, np.tile(volumes, 2), rtol=1e-9)


def test_two_atoms_in_one_place_are_refused():
    with pytest.raises(ValueError, match="found two atoms in one place"):
        voronoi_volumes(np.array([[1.0, 1, 1], [10.0, 1, 1]]), np.eye(3) * 9.0)
