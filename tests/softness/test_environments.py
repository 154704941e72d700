"""What lies around ions: units, shares of ligands, g(r), and two ways to correlate."""

import numpy as np
import pytest

from mlff.geometry import Anion
from softness.correlation import trend
from softness.environments import OTHER, near_units, partial_g, unit_shares

CELL = np.eye(3) * 40.0
# a P2S6 about the origin, a PS4 at 12 Å, an S alone; ions beside each and far from all
SYMBOLS = ["P", "P", *["S"] * 6, "P", *["S"] * 4, "S", "Li", "Li", "Li"]
POSITIONS = np.array(
    [[0, 0, 0], [2.2, 0, 0], *[[-1, 1.7, k] for k in (-1, 0, 1)], *[[3.2, 1.7, k] for k in (-1, 0, 1)]]
    + [[12, 0, 0], [12, 2, 0], [12, -2, 0], [12, 0, 2], [12, 0, -2], [12, 4.5, 0]]
    + [[1, 3.5, 0], [12, 3.6, 0], [30, 30, 30]],
    float,
)
ANIONS = [
    Anion("P2S6", np.arange(8), np.zeros((8, 3), int), np.zeros((0, 2), int)),
    Anion("PS4", np.arange(8, 13), np.zeros((5, 3), int), np.zeros((0, 2), int)),
]
IONS = np.array([14, 15, 16])


def test_units_near_an_ion():
    found = near_units(POSITIONS, CELL, SYMBOLS, IONS, ANIONS)
    assert found["P2S6"].tolist() == [True, False, False]
    assert found["PS4"].tolist() == [False, True, False]


def test_shares_of_the_ligands_around():
    found = unit_shares(POSITIONS, CELL, SYMBOLS, IONS, ANIONS, 4.5)
    assert found["P2S6"][0] == 1.0
    assert found["PS4"][1] == pytest.approx(3 / 4)  # the S at 5.6 Å is too far; the free one is near
    assert found[OTHER][1] == pytest.approx(1 / 4)
    assert np.isnan(found["PS4"][2])


def test_wrapping_and_turning_change_nothing(rng):
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    moved = (POSITIONS + rng.integers(-2, 3, POSITIONS.shape) @ CELL) @ turn
    for kind, near in near_units(moved, CELL @ turn, SYMBOLS, IONS, ANIONS).items():
        assert near.tolist() == near_units(POSITIONS, CELL, SYMBOLS, IONS, ANIONS)[kind].tolist()


def test_g_without_order_is_one(rng):
    cell, symbols = np.eye(3) * 15.0, ["Li"] * 300 + ["S"] * 600
    edges = np.linspace(0, 8, 9)
    targets = {"one": np.arange(300, 500), "other": np.arange(500, 900)}
    found = partial_g(rng.random((900, 3)) * 15, cell, symbols, np.arange(300), targets, edges)
    for g in found.values():
        np.testing.assert_allclose(g[2:], 1.0, atol=0.05)


def test_a_weak_trend_is_weak_whatever_its_bins_say(rng):
    x = rng.normal(size=4000)
    found = trend(x, 0.2 * x + rng.normal(size=4000))
    assert found.pearson.value == pytest.approx(0.2 / np.sqrt(1.04), abs=3 * found.pearson.error)
    assert 0.01 < found.pearson.error < 0.03
    assert found.of_bins > 0.9


def test_rows_of_one_particle_are_one(rng):
    x, y = rng.normal(size=(2, 50))
    once, often = trend(x, y, n_bins=5), trend(np.repeat(x, 30), np.repeat(y, 30), np.repeat(np.arange(50), 30), n_bins=5)
    assert often.pearson.error == pytest.approx(once.pearson.error, rel=0.3)
    np.testing.assert_allclose(often.error, once.error, rtol=1e-6)
    assert trend(x[:3], y[:3]) is None
