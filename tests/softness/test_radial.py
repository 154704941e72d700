"""Radial structure functions: known answers, other ways to the same numbers, and what may not change them."""

import numpy as np
import pytest
from ase.build import bulk

from softness.radial import RadialFunctions

CELL = np.array([[9.0, 0.0, 0.0], [2.0, 8.5, 0.0], [-1.5, 2.0, 9.5]])
SYMBOLS = ["Li"] * 10 + ["P"] * 4 + ["S"] * 16
ALL = RadialFunctions(("Li", "P", "S"))


@pytest.fixture
def glass(rng):
    return rng.random((len(SYMBOLS), 3)) @ CELL


def test_a_dimer():
    """exp(−(r − μ)²/2δ²) to the last digit, also far out in the tails, in a cell that no image reaches across."""
    cell = np.eye(3) * 40.0
    positions = np.array([[39.0, 1.0, 1.0], [2.3, 1.0, 1.0]])
    for r in (3.3, 2.05, 8.79):
        positions[1, 0] = positions[0, 0] + r - 40.0
        functions = RadialFunctions(("S", "Li"))
        found = functions.of_frame(positions, cell, ["Li", "S"], np.array([0]))
        exact = np.exp(-((r - functions.rungs) ** 2) / (2 * 0.2**2))
        np.testing.assert_allclose(found[0, :31], exact, rtol=1e-9, atol=1e-13)
        assert not found[0, 31:].any()
    positions[1, 0] = positions[0, 0] + 8.81 - 40.0  # beyond last + 4δ
    assert not functions.of_frame(positions, cell, ["Li", "S"], np.array([0])).any()


def test_the_other_way_to_write_the_width():
    cell, positions = np.eye(3) * 30.0, np.array([[0.0, 0, 0], [4.1, 0, 0]])
    functions = RadialFunctions(("Li",), width=0.3, normalisation="L2")
    found = functions.of_frame(positions, cell, ["Li", "Li"], np.array([0]))
    np.testing.assert_allclose(found[0], np.exp(-((4.1 - functions.rungs) ** 2) / 0.3**2), rtol=1e-9, atol=1e-13)


def test_shells_of_a_face_centred_lattice():
    """12 neighbours at a/√2, 6 at a, 24 at a√1.5, 12 at a√2: in the primitive cell, of which the cutoff takes in many images."""
    crystal = bulk("Al", "fcc", a=4.05)
    functions = RadialFunctions(("Al",), first=2.0, last=6.4, step=0.1, width=0.1)
    found = functions.of_frame(crystal.positions, crystal.cell.array, ["Al"], np.array([0]))[0]
    shells = [(12, 1 / np.sqrt(2)), (6, 1.0), (24, np.sqrt(1.5)), (12, np.sqrt(2)), (24, np.sqrt(2.5))]
    exact = sum(count * np.exp(-((4.05 * r - functions.rungs) ** 2) / (2 * 0.1**2)) for count, r in shells)
    np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-12)


def test_nothing_changes_with_place_turn_order_wrapping_or_replication(glass, rng):
    centres = np.arange(10)
    wanted = ALL.of_frame(glass, CELL, SYMBOLS, centres)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    order = rng.permutation(len(SYMBOLS))
    place = np.argsort(order)[:10]
    twice = np.concatenate([glass, glass + CELL[1]])
    images = rng.integers(-3, 4, size=glass.shape)
    for positions, cell, symbols, chosen in (
        (glass + [100.3, -7.0, 3.1], CELL, SYMBOLS, centres),
        (glass @ turn, CELL @ turn, SYMBOLS, centres),
        (glass[order], CELL, np.array(SYMBOLS)[order], place),
        (glass + images @ CELL, CELL, SYMBOLS, centres),
        (twice, CELL * [[1], [2], [1]], SYMBOLS * 2, centres),
    ):
        np.testing.assert_allclose(ALL.of_frame(positions, cell, symbols, chosen), wanted, rtol=1e-9, atol=1e-9)


def test_pairs_may_come_in_any_order_and_several_times(glass, rng):
    i, j = rng.integers(10, size=500), rng.integers(len(SYMBOLS), size=500)
    d = rng.uniform(1.5, 9.5, size=500)
    found = ALL.of_pairs(i, j, d, SYMBOLS, 10)
    order = rng.permutation(500)
    np.testing.assert_allclose(ALL.of_pairs(i[order], j[order], d[order], SYMBOLS, 10), found, rtol=1e-12)
    np.testing.assert_allclose(ALL.of_pairs(np.tile(i, 2), np.tile(j, 2), np.tile(d, 2), SYMBOLS, 10), 2 * found, rtol=1e-12)
    block = {"Li": 0, "P": 1, "S": 2}
    exact = np.zeros((10, 3, 31))
    for a, b, r in zip(i, j, d, strict=True):
        if r < ALL.r_max:
            exact[a, block[SYMBOLS[b]]] += np.exp(-((r - ALL.rungs) ** 2) / 0.08)
    np.testing.assert_allclose(found.reshape(10, 3, 31), exact, rtol=1e-9, atol=1e-12)


def test_a_block_of_one_species_is_the_same_beside_others(glass):
    alone = RadialFunctions(("P",)).of_frame(glass, CELL, SYMBOLS, np.arange(10))
    np.testing.assert_array_equal(alone, ALL.of_frame(glass, CELL, SYMBOLS, np.arange(10))[:, 31:62])
    assert ALL.names[31] == "P 2"


def test_a_centre_may_be_asked_for_twice(glass):
    found = ALL.of_frame(glass, CELL, SYMBOLS, [3, 7, 3])
    np.testing.assert_array_equal(found, ALL.of_frame(glass, CELL, SYMBOLS, np.arange(10))[[3, 7, 3]])


def test_a_smooth_cutoff_has_no_step():
    functions = RadialFunctions(("Li",), cutoff="smooth")
    r = functions.r_max + np.array([-1e-4, 1e-4])
    inside, outside = (functions.of_pairs([0], [0], [x], ["Li"]) for x in r)
    assert abs(inside - outside).max() < 1e-10
    exact = np.exp(-((5.0 - functions.rungs) ** 2) / 0.08) * 0.5 * (1 + np.cos(np.pi * 5.0 / functions.r_max))
    np.testing.assert_allclose(functions.of_pairs([0], [0], [5.0], ["Li"])[0], exact, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"first": 3.0, "last": 2.0}, "found first 3.0, last 2.0, step 0.2, width 0.2; expected 0 ≤ first ≤ last"),
        ({"normalisation": "sigma"}, "found normalisation 'sigma'"),
        ({"neighbour_species": ("Li", "Li")}, "expected at least one species, each once"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        RadialFunctions(**({"neighbour_species": ("Li",)} | settings))
