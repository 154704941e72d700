"""Rings of lattices whose births, deaths and sizes are known, wherever the cell is cut."""

import sys

import numpy as np
import pytest

from softness.rings import near_rings, rings

pytest.importorskip("gudhi", reason="needs gudhi: pip install .[topology]")
A, EDGE = 2.0, 14.0


def polygon(n: int, centre) -> np.ndarray:
    """Corners of a regular one with edges of A."""
    angle = 2 * np.pi * np.arange(n) / n
    return np.asarray(centre) + A / (2 * np.sin(np.pi / n)) * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)


@pytest.mark.parametrize(("n", "death"), [(4, A * np.sqrt(2)), (5, A * (1 + np.sqrt(5)) / 2), (6, A * np.sqrt(3))])
@pytest.mark.parametrize("centre", [(7, 7, 7), (0.3, 13.9, 0)])
def test_a_polygon_is_one_ring_also_across_the_boundary(n, death, centre):
    found = rings(polygon(n, centre), EDGE * np.eye(3), ["S"] * n, ("S",), r_max=4.5)
    assert found.sizes.tolist() == [n]
    assert sorted(found.atoms[0].tolist()) == list(range(n))
    assert found.births == pytest.approx([A])
    assert found.deaths == pytest.approx([death])
    np.testing.assert_allclose((found.centres[0] - centre + EDGE / 2) % EDGE, EDGE / 2, atol=1e-9)


def test_rings_of_a_simple_cubic_lattice_are_its_faces():
    n, a = 5, 3.0
    sites = a * np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    found = rings(sites, n * a * np.eye(3), ["S"] * n**3, ("S",), r_max=4.5)
    # 3n³ edges and n³ sites leave 2n³ + 1 cycles; the three that close round the cell alone never fill and are no rings
    assert set(found.sizes[np.isfinite(found.deaths)]) == {4}
    assert np.isfinite(found.deaths).sum() == 2 * n**3 - 2
    np.testing.assert_allclose(found.births, a)
    np.testing.assert_allclose(found.deaths[np.isfinite(found.deaths)], a * np.sqrt(2))


def test_a_chain_round_the_cell_is_no_ring():
    chain = np.stack([np.arange(7) * 2.0, np.full(7, 1.0), np.full(7, 5.0)], axis=1)
    assert len(rings(chain, EDGE * np.eye(3), ["S"] * 7, ("S",), r_max=3.0)) == 0


@pytest.fixture
def glass():
    rng = np.random.default_rng(1)
    return 15 * rng.random((90, 3)), 15 * np.eye(3), ["S"] * 60 + ["Li"] * 30


def told(found) -> list[tuple]:
    return sorted(zip(found.births.round(6), found.deaths.round(6), found.sizes.tolist(), strict=True))


def test_places_in_the_cell_and_translations_do_not_matter(glass):
    positions, cell, symbols = glass
    rng = np.random.default_rng(2)
    moved = positions + [3.3, -2.2, 11.1] + rng.integers(-2, 3, positions.shape) @ cell
    assert told(rings(positions, cell, symbols, ("S",), 4.5)) == told(rings(moved, cell, symbols, ("S",), 4.5))
    assert len(rings(positions, cell, symbols, ("S",), 4.5)) > 10


def test_two_cells_have_twice_the_rings(glass):
    positions, cell, symbols = glass
    twice = rings(np.concatenate([positions, positions + cell[0]]), cell * [[2], [1], [1]], symbols * 2, ("S",), 4.5)
    one = rings(positions, cell, symbols, ("S",), 4.5)
    dead = lambda found: [ring for ring in told(found) if np.isfinite(ring[1])]  # noqa: E731
    assert dead(twice) == sorted(dead(one) * 2)


def test_ions_know_the_rings_near_them():
    square, hexagon = polygon(4, (2, 2, 2)), polygon(6, (9, 9, 9))
    positions = np.concatenate([square, hexagon, [[2, 2, 3], [9, 9, 8], [2, 13.5, 2], [6, 2, 12]]])
    found = rings(positions, EDGE * np.eye(3), ["S"] * 10 + ["Li"] * 4, ("S",), r_max=4.0)
    sizes, deaths = near_rings(found, positions, EDGE * np.eye(3), np.arange(10, 14), r_max=3.0)
    np.testing.assert_array_equal(sizes, [4, 6, 4, np.nan])
    np.testing.assert_allclose(deaths, [A * np.sqrt(2), A * np.sqrt(3), A * np.sqrt(2), np.nan])


def test_rings_that_never_fill_have_a_size_alone():
    found = rings(polygon(6, (7, 7, 7)), EDGE * np.eye(3), ["S"] * 6, ("S",), r_max=2.5)  # second neighbours lie beyond
    assert found.deaths.tolist() == [np.inf]
    sizes, deaths = near_rings(found, np.array([[7.0, 7.0, 8.0]]), EDGE * np.eye(3), np.array([0]))
    assert sizes.tolist() == [6]
    assert np.isnan(deaths).all()


def test_what_cannot_be_told_is_refused(glass, monkeypatch):
    positions, cell, symbols = glass
    with pytest.raises(ValueError, match="three edges would close round the cell"):
        rings(positions, cell, symbols, ("S",), r_max=5.1)
    with pytest.raises(ValueError, match="found none of Ge in the structure"):
        rings(positions, cell, symbols, ("Ge",), 4.5)
    monkeypatch.setitem(sys.modules, "gudhi", None)
    with pytest.raises(ImportError, match=r"pip install \.\[topology\]"):
        rings(positions, cell, symbols, ("S",), 4.5)
