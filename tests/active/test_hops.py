"""Hops told from vibrations."""

import numpy as np
import pytest
from ase import Atoms

from mlff.active.hops import hop_indicator, hopping


def jump(n: int, at: int, length: float) -> np.ndarray:
    """One ion, (n, 1, 3), that lies elsewhere from frame `at` on."""
    positions = np.zeros((n, 1, 3))
    positions[at:, 0] = np.array([2, 3, 6]) / 7 * length
    return positions


def test_a_clean_jump_of_length_a_gives_a_squared():
    """√(a² a²); the mean of a product, or a root less, would give another power of a."""
    found = hop_indicator(jump(40, 17, 3.0), 8)
    assert found[17, 0] == pytest.approx(9.0)
    assert found[:, 0].argmax() == 17


def test_a_window_that_does_not_fit_gives_nothing():
    found = hop_indicator(jump(40, 20, 3.0), 20)
    assert found[20, 0] == pytest.approx(9.0)
    assert np.flatnonzero(found[:, 0]).tolist() == [20]


def test_it_is_a_product_of_two_means():
    """An ion that leaves for one frame of its second half: ⟨|r_A − r̄_B|²⟩ = (a/4)², ⟨|r_B − r̄_A|²⟩ = a²/4."""
    positions = np.zeros((8, 1, 3))
    positions[6, 0, 0] = 2.0
    assert hop_indicator(positions, 4)[4, 0] == pytest.approx(np.sqrt(0.25 * 1.0))


def frames(shift: np.ndarray, rng: np.random.Generator, drift: float = 0.0) -> list[Atoms]:
    """Three ions of lithium, of which the second is shifted, and five of sulfur; all vibrate by 0.15 Å and drift."""
    home = rng.uniform(0, 8, (8, 3))
    found = []
    for t, own in enumerate(shift):
        positions = home + rng.normal(scale=0.15, size=(8, 3)) + drift * t
        positions[1] += own
        found.append(Atoms("Li3S5", positions=positions, cell=[8, 8, 8], pbc=True))
    return found


def test_a_hop_marks_the_frames_in_its_middle(rng):
    marked = hopping(frames(jump(60, 30, 2.5)[:, 0], rng), ["Li"], 1.5, 10)
    assert marked[30]
    assert 1 <= marked.sum() <= 20
    assert not marked[:20].any()
    assert not marked[41:].any()


def test_a_vibration_is_no_hop(rng):
    assert not hopping(frames(np.zeros((60, 3)), rng), ["Li"], 1.5, 10).any()


def test_a_drift_of_everything_is_no_hop(rng):
    """3 Å in half a window."""
    assert not hopping(frames(np.zeros((60, 3)), rng, drift=0.3), ["Li"], 1.5, 10).any()


def test_only_mobile_ions_count(rng):
    assert not hopping(frames(jump(60, 30, 2.5)[:, 0], rng), ["Na"], 1.5, 10).any()


def test_a_trajectory_shorter_than_the_window_has_no_hops(rng):
    assert hopping(frames(jump(19, 9, 2.5)[:, 0], rng), ["Li"], 1.5, 10).tolist() == [False] * 19
