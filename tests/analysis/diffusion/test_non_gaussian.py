import numpy as np
import pytest

from mlff.analysis.diffusion.non_gaussian import NonGaussianAccumulator, non_gaussian_parameter
from tests.analysis.trajectories import CELL, DT, brownian, displacements_of, frames_of

D = 2e-5  # cm²/s


def accumulated(*runs: np.ndarray, cells=CELL, drift=None) -> NonGaussianAccumulator:
    first, *others = [NonGaussianAccumulator(np.arange(run.shape[1]), DT, drift) for run in runs]
    for accumulator, run in zip([first, *others], runs, strict=True):
        accumulator.update(frames_of(run, cells))
    for other in others:
        first.merge(other)
    return first


def test_brownian_motion_is_gaussian(rng):
    found = accumulated(brownian(rng, 2500, 150, D)).result()
    pulls = found.alpha / found.error
    assert np.sqrt((pulls**2).mean()) < 1.7
    assert abs(found.alpha[:6]).max() < 0.01
    assert not found.peak.known
    assert found.peak.reason == "nowhere above 3 times its error"


def test_slow_and_fast_walkers(rng):
    """⟨D²⟩ / ⟨D⟩² − 1 at any lag: of D and 3 D, 0.25. The mean of the ions' own α₂ would be 0."""
    runs = [brownian(rng, 2000, 100, diffusivity) for diffusivity in (D, 3 * D)]
    found = accumulated(np.concatenate(runs, axis=1)).result()
    pulls = (found.alpha - 0.25) / found.error
    assert np.sqrt((pulls**2).mean()) < 1.7
    assert found.alpha[:6] == pytest.approx(0.25, abs=0.02)
    assert found.peak.value == pytest.approx(0.25, abs=max(0.05, 3 * found.peak.error))


def test_jumps_give_three_fifths_over_their_mean_number(rng):
    """Poisson jumps of one length in random directions."""
    rate, n_frames, n = 0.1, 3000, 100
    directions = rng.normal(size=(n_frames, n, 3))
    directions *= 3.0 / np.linalg.norm(directions, axis=-1, keepdims=True)
    jumps = rng.poisson(rate, size=(n_frames, n, 1)).clip(0, 1)  # two at once are left out: the rate is 1 − exp(−rate)
    found = accumulated((jumps * directions).cumsum(0)).result()
    p = 1 - np.exp(-rate)
    # binomial instead of Poisson: ⟨k(k − 1)⟩ = n(n − 1)p²
    for lag, alpha, error in zip(found.times / DT, found.alpha, found.error, strict=True):
        expected = 0.6 * (lag * p + 5 / 3 * lag * (lag - 1) * p**2) / (lag * p) ** 2 - 1
        assert alpha == pytest.approx(expected, abs=4 * error)
    assert found.peak_time.value == pytest.approx(DT / 1000)
    assert found.peak_time.unit == "ps"


@pytest.mark.parametrize(("axes", "expected"), [(1, 0.8), (2, 0.2)])
def test_fewer_dimensions_are_not_gaussian(rng, axes, expected):
    walk = brownian(rng, 2000, 60, D)
    walk[:, :, axes:] = 0
    found = accumulated(walk).result()
    assert found.alpha[0] == pytest.approx(expected, abs=0.03)


def test_every_lag_is_exact(rng):
    """Of straight flights, ⟨r⁴⟩ and ⟨r²⟩ at each lag are those of the velocities; 1,501 frames fill no block."""
    velocities = rng.normal(size=(7, 3)) * 1e-3
    found = accumulated(500.0 + DT * np.arange(1501)[:, None, None] * velocities).result()
    squares = (velocities**2).sum(1)
    np.testing.assert_allclose(found.msd, squares.mean() * found.times**2, rtol=1e-9)
    np.testing.assert_allclose(found.alpha, 0.6 * (squares**2).mean() / squares.mean() ** 2 - 1, rtol=1e-9)
    assert found.times[:8].tolist() == [DT * lag for lag in (1, 2, 3, 4, 6, 8, 12, 16)]
    assert found.times[-1] == 1024 * DT
    assert found.origins[0] == 1500


def test_the_squares_are_those_of_the_displacements(rng):
    walk = brownian(rng, 1000, 12, D)
    drift = np.ones(12)
    found, other = accumulated(walk, drift=drift).result(), displacements_of(walk, drift=drift)
    np.testing.assert_allclose(found.times, other.times)
    np.testing.assert_allclose(found.msd, other.msd(), rtol=1e-9)
    np.testing.assert_array_equal(found.origins, other.runs[0].origins)


def test_a_cell_that_breathes_moves_no_ion(rng):
    cells = CELL @ (np.eye(3) + 0.005 * rng.normal(size=(300, 3, 3)))
    found = accumulated((rng.random((30, 3)) + 25.0) @ cells, cells=cells).result()
    assert found.msd.max() < 1e-18
    found = accumulated(np.zeros((20, 4, 3))).result()
    assert found.alpha.max() == 0


def test_ions_that_move_together_are_fewer(rng):
    """Five walkers, each of which is twenty ions: the error is that of five, not of a hundred."""
    together = np.repeat(brownian(rng, 2000, 5, D), 20, axis=1)
    apart = brownian(rng, 2000, 100, D)
    found, other = accumulated(together).result(), accumulated(apart).result()
    assert other.correlation < 3
    assert found.correlation > 8
    assert np.median(found.error / other.error) > 2.5
    assert np.sqrt(((found.alpha / found.error) ** 2).mean()) < 2


def test_runs_are_further_ions(rng):
    runs = [brownian(rng, 700, 20, factor * D) for factor in (1, 3)]
    found, whole = accumulated(*runs).result(), accumulated(np.concatenate(runs, axis=1)).result()
    np.testing.assert_allclose(found.alpha, whole.alpha, rtol=1e-9, atol=1e-12)
    one, other = accumulated(runs[0]), NonGaussianAccumulator(np.arange(20), DT)
    other.update(frames_of(runs[1], every=2))
    one.merge(other)
    with pytest.raises(ValueError, match=r"frames \[100\.0, 200\.0\] fs apart, expected one spacing"):
        one.result()


def test_memory_grows_with_the_logarithm_alone(rng):
    sizes = [sum(a.nbytes for a in accumulated(brownian(rng, n, 4, D)).state().values()) for n in (2000, 16000)]
    assert sizes[1] < 1.1 * sizes[0]


def test_the_error_is_that_of_the_ratio(rng):
    """Against the scatter of 300 samples of 40 ions."""
    r2 = rng.chisquare(3, size=(300, 1, 40))
    found = [non_gaussian_parameter(x, x**2) for x in r2]
    alpha, error = np.array([[a[0], e[0]] for a, e in found]).T
    assert alpha.std() / np.sqrt((error**2).mean()) == pytest.approx(1, abs=0.25)


def test_what_has_no_parameter_is_refused():
    with pytest.raises(ValueError, match="found 1 frames, expected at least 2"):
        accumulated(np.zeros((1, 2, 3))).result()
    with pytest.raises(ValueError, match="expected a positive one"):
        NonGaussianAccumulator([0], 0.0)
    with pytest.raises(ValueError, match="found no atoms to follow"):
        NonGaussianAccumulator([], DT)


def test_one_ion_has_no_error(rng):
    found = accumulated(brownian(rng, 100, 1, D)).result()
    assert np.isnan(found.error).all()
    assert found.peak.reason == "one ion alone has no error"
