"""Attempt frequency and amplitude: about the mean of each stay, of what is vibration."""

import numpy as np
import pytest

from mlff.analysis import System
from mlff.analysis.sites import HopAccumulator
from tests.analysis.trajectories import frames_of

FRAME = 10.0  # fs
CELL = np.diag([9.0, 9.0, 9.0])
SITES = np.array([[0.2, 0.2, 0.2], [0.7, 0.7, 0.7]])


def found_in(positions: np.ndarray, cell: np.ndarray = CELL, sites: np.ndarray = SITES):
    n = positions.shape[1]
    accumulator = HopAccumulator(System(("Li",) * n, np.full(n, 6.94), positions[0], cell, "Li", FRAME, temperature=600.0), sites=sites)
    accumulator.update(frames_of(positions, cell))
    return accumulator.result()


def swing(rng, n_frames: int, n_ions: int, width: float, frequency: float) -> np.ndarray:
    """Harmonic; width: standard deviation along an axis, Å; frequency: THz."""
    phase = 2 * np.pi * (frequency * 1e-3 * FRAME * np.arange(n_frames)[:, None, None] + rng.random((n_ions, 3)))
    return np.sqrt(2) * width * np.cos(phase)


def test_an_ion_beside_its_site(rng):
    """About the site's middle, 0.35 Å away along each axis, a swing of 0.21 Å would never cross."""
    found = found_in(SITES @ CELL + 0.35 + swing(rng, 2003, 2, 0.15, 4.3))
    assert found.attempt_frequency.value == pytest.approx(4.3, rel=0.005)
    assert found.amplitude.value == pytest.approx(0.15, rel=0.01)
    np.testing.assert_allclose(found.attempt_frequencies, 4.3, rtol=0.01)
    np.testing.assert_allclose(found.amplitudes, 0.15, rtol=0.02)


def test_the_way_to_another_site_is_no_vibration(rng):
    """Ions that go over in 30 frames: the way, a tenth of the time, would widen the amplitude and slow the vibration down."""
    t = np.arange(3000)
    way = np.clip((t % 300 - 270) / 30, 0, 1) + t // 300
    positions = 2.0 + np.stack([3.0 * way, 0 * way, 0 * way], axis=-1)[:, None] + swing(rng, 3000, 1, 0.15, 5.0)
    found = found_in(positions, np.diag([6.0, 9.0, 9.0]), np.array([[2 / 6, 2 / 9, 2 / 9], [5 / 6, 2 / 9, 2 / 9]]))
    assert found.n_jumps == 9 or found.n_jumps == 10
    assert np.std(positions[:, 0, 0] - 2 - 3.0 * np.floor(way)) > 0.4
    assert found.amplitude.value == pytest.approx(0.15, rel=0.25)
    assert found.attempt_frequency.value == pytest.approx(5.0, rel=0.25)


def test_of_a_spectrum_it_is_the_well_of_that_width(rng):
    """Two frequencies with equal displacements: √((ν₁² + ν₂²)/2), not their mean."""
    found = found_in(SITES @ CELL + swing(rng, 5000, 2, 0.1, 2.0) + swing(rng, 5000, 2, 0.1, 5.0))
    assert found.attempt_frequency.value == pytest.approx(np.sqrt((4 + 25) / 2), rel=0.02)


def test_frames_too_far_apart_give_no_frequency(rng):
    """18 THz at 10 fs: 5.6 frames in a period."""
    found = found_in(SITES @ CELL + swing(rng, 1000, 2, 0.1, 18.0))
    assert not found.attempt_frequency.known
    assert "do not show the vibration; write at least six in a period" in found.attempt_frequency.reason
    assert found.amplitude.value == pytest.approx(0.1, rel=0.02)
    assert found.activation.reason == found.attempt_frequency.reason


def test_a_short_run_tells_no_vibration(rng):
    found = found_in(SITES @ CELL + swing(rng, 40, 2, 0.1, 5.0))
    assert str(found.amplitude) == "no result (no ion stayed on its site for 0.5 ps)"
