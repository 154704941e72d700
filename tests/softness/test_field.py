"""The field of softness: of every particle and frame, and its correlations in space and time where they are known."""

import numpy as np
import pytest

from mlff.trajectory import Frames
from softness.artefact import Softness
from softness.field import field, in_space, in_time
from softness.hyperplane import Hyperplane
from softness.radial import RadialFunctions

CELL = np.array([[18.0, 0.0, 0.0], [4.0, 17.0, 0.0], [-3.0, 2.0, 19.0]])


def test_the_field_is_that_of_each_frame(rng):
    symbols = ["Li"] * 30 + ["S"] * 50
    functions = RadialFunctions(("Li",), last=5.0)
    features = functions.of_frame(rng.random((80, 3)) @ CELL, CELL, symbols, np.arange(30))
    softness = Softness(Hyperplane(C=1.0).fit(features, np.arange(30) % 2), functions, "Li")
    positions, cells = rng.random((6, 80, 3)) @ CELL, np.broadcast_to(CELL, (6, 3, 3))
    chunks = [Frames(np.arange(k, k + 3), positions[k : k + 3], cells[k : k + 3]) for k in (0, 3)]
    found = field(iter(chunks), softness, symbols)
    assert found.shape == (6, 30)
    np.testing.assert_array_equal(found[4], softness.of_frame(positions[4], CELL, symbols))


def test_what_is_independent_is_not_correlated(rng):
    positions, values = rng.random((40, 100, 3)) @ CELL, rng.normal(size=(40, 100))
    found = in_space(values, positions, np.broadcast_to(CELL, (40, 3, 3)), r_max=8.0, width=1.0)
    known = np.isfinite(found.error)
    assert abs(found.value[known] / found.error[known]).max() < 4
    later = in_time(values, 0.1)
    assert abs(later.value / later.error).max() < 4.5


def test_a_wave_in_space_is_seen(rng):
    """S = cos k·r with k a reciprocal vector: ⟨S S'⟩ at distance r, over all directions, is sin(kr)/kr of its variance."""
    wave = 2 * np.pi * np.linalg.inv(CELL) @ [1, 0, 0]
    positions = rng.random((60, 300, 3)) @ CELL + 50.0
    found = in_space(np.cos(positions @ wave), positions, np.broadcast_to(CELL, (60, 3, 3)), r_max=10.0, width=0.5)
    exact = np.sinc(np.linalg.norm(wave) * found.x / np.pi)
    np.testing.assert_allclose(found.value[4:], exact[4:], atol=0.05)
    assert found.value[4] > 0.8


def test_memory_in_time(rng):
    """An autoregression forgets by 0.9 in each frame."""
    values = np.zeros((3000, 50))
    for k in range(1, 3000):
        values[k] = 0.9 * values[k - 1] + np.sqrt(1 - 0.81) * rng.normal(size=50)
    found = in_time(values[100:], 0.1, np.array([1, 5, 20]))
    np.testing.assert_allclose(found.value, 0.9 ** np.array([1, 5, 20]), atol=0.03)
    assert found.x == pytest.approx([0.1, 0.5, 2.0])
