import numpy as np
import pytest

from mlff.analysis.vibrations import velocity_autocorrelation
from mlff.analysis.vibrations.velocity_autocorrelation import correlation, relative_correlation


def direct(velocities: np.ndarray) -> np.ndarray:
    half = len(velocities) // 2
    return np.array([np.mean([(velocities[t] * velocities[t + lag]).sum() for t in range(half)]) for lag in range(half + 1)])


@pytest.mark.parametrize("half", [1, 2, 5, 7, 16, 37])  # transforms of 2, 4, 10, 15, 32 and 75 values: odd ones too
def test_it_is_the_sum_of_products_at_every_lag(rng, half):
    velocities = 1.0 + rng.normal(size=(2 * half, 3, 3))  # with a mean, which lags folded onto each other would show
    np.testing.assert_allclose(correlation(velocities), direct(velocities), rtol=1e-10)


def test_atoms_are_taken_in_groups(rng, monkeypatch):
    velocities = rng.normal(size=(40, 11, 3))
    whole = correlation(velocities)
    monkeypatch.setattr(velocity_autocorrelation, "AT_ONCE", 200)  # five series at once, of 33
    np.testing.assert_allclose(correlation(velocities), whole, rtol=1e-10)
    np.testing.assert_allclose(correlation(np.float32(velocities)), whole, atol=1e-4)


def test_another_frame_needs_the_sum_alone(rng):
    velocities, frame = rng.normal(size=(30, 5, 3)) + 2.0, rng.normal(size=(30, 3))
    found = relative_correlation(correlation(velocities), velocities, frame)
    np.testing.assert_allclose(found, direct(velocities - frame[:, None]), rtol=1e-9)
