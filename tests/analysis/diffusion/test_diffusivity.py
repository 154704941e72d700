"""Errors and bounds are tested by what they claim: how often the truth, which is known here, lies inside."""

import numpy as np
import pytest

from mlff.analysis import Criteria, tracer_diffusivity
from tests.analysis.trajectories import DT, brownian, displacements_of, rare_jumps

D = 1e-5  # cm²/s


@pytest.mark.parametrize("n_ions", [3, 16, 48])
def test_the_error_holds_the_truth_in_68_percent(rng, n_ions):
    found = [tracer_diffusivity(displacements_of(brownian(rng, 500, n_ions, D))) for _ in range(200)]
    assert n_ions < 16 or all(f.diffusivity.known for f in found)
    inside = np.mean([abs(f.fitted.value - D) < f.fitted.error for f in found])
    assert 0.58 < inside < 0.78  # 68 % ± 3 × 3.3 % of 200 runs
    mean = np.mean([f.fitted.value for f in found])
    assert mean == pytest.approx(D, rel=3 * 0.2 / np.sqrt(200) * np.sqrt(16 / n_ions))  # no bias


def test_ions_that_move_together_are_counted_as_fewer(rng):
    """Groups of eight: an error as of independent ions would be √8 too small, and hold the truth in 28 %."""
    found = [tracer_diffusivity(displacements_of(np.repeat(brownian(rng, 500, 8, D), 8, axis=1))) for _ in range(100)]
    inside = np.mean([abs(f.fitted.value - D) < f.fitted.error for f in found])
    assert inside > 0.55
    assert np.median([f.correlation for f in found]) == pytest.approx(8, rel=0.3)


def test_runs_that_disagree_widen_the_error(rng):
    runs = [brownian(rng, 300, 20, D * factor) for factor in (0.5, 1.0, 1.5)]
    together, alike = tracer_diffusivity(displacements_of(*runs)), tracer_diffusivity(displacements_of(*[brownian(rng, 300, 20, D)] * 3))
    assert together.correlation > 3
    assert alike.correlation == 1
    assert together.fitted.error > 0.2 * D


@pytest.mark.parametrize("n_ions", [1, 4, 16, 48])
@pytest.mark.parametrize("jumps", [0.5, 2.0, 8.0, 40.0])
def test_the_bound_holds_in_95_percent(rng, n_ions, jumps):
    """Walkers that jump `jumps` times in all, on average, from none per ion to 40."""
    n_frames = 200
    diffusivity = jumps * 9.0 / (60 * n_ions * n_frames * DT)
    strict = Criteria(least_diffusivity=1.0)
    runs = [displacements_of(rare_jumps(rng, n_frames, n_ions, diffusivity)) for _ in range(300)]
    bounds = [tracer_diffusivity(run, strict).diffusivity.upper for run in runs]
    assert sum(bound is not None for bound in bounds) > 200  # the others look as if all ions drifted: no result
    wrong = np.mean([bound is not None and bound < diffusivity for bound in bounds])
    assert wrong < 0.09  # 5 % + 3 × 1.3 % of 300 runs


def test_the_bound_of_long_walks_holds_too(rng):
    bounds = [
        tracer_diffusivity(displacements_of(brownian(rng, 200, 16, D)), Criteria(least_diffusivity=1.0)).diffusivity.upper
        for _ in range(200)
    ]
    assert np.mean(np.array(bounds) > D) >= 0.92
    assert np.median(bounds) < 2 * D  # and it is of use


def test_a_cage_gives_a_bound_that_falls_with_time(rng):
    """A harmonic cage of 9 Å², wider than the least MSD: the exponent tells."""
    bounds = []
    for n_frames in (500, 5000):
        found = tracer_diffusivity(displacements_of(np.sqrt(1.5) * rng.normal(size=(n_frames, 200, 3))))
        assert not found.diffusivity.known
        assert "grows as t^" in found.diffusivity.reason
        assert abs(found.exponent.value) < 0.15
        assert found.intercept == pytest.approx(9.0, rel=0.1)
        bounds.append(found.diffusivity.upper)
    assert bounds[1] == pytest.approx(bounds[0] / 10, rel=0.3)
    small = tracer_diffusivity(displacements_of(0.1 * rng.normal(size=(500, 30, 3)))).diffusivity
    assert small.reason.startswith("the MSD reaches 0.0")


def test_ballistic_motion_has_no_diffusivity(rng):
    found = tracer_diffusivity(displacements_of(np.arange(300)[:, None, None] * rng.normal(size=(12, 3))))
    assert found.exponent.value == pytest.approx(2.0)
    assert not found.diffusivity.known
    assert found.diffusivity.upper is None
    assert "t^2.00, faster than diffusion" in str(found.diffusivity)


def test_ions_at_rest_jump_fewer_than_three_times():
    found = tracer_diffusivity(displacements_of(np.zeros((101, 10, 3))))
    assert found.diffusivity.reason == "nothing moved"
    assert found.diffusivity.upper == pytest.approx(2.996 * 9 / (60 * 10 * 100 * DT), rel=1e-3)
    assert found.expected_error is None


def test_slow_diffusion_is_below_a_threshold(rng):
    found = tracer_diffusivity(displacements_of(brownian(rng, 400, 30, D)), Criteria(least_diffusivity=1e-4))
    assert found.diffusivity.reason == "below 0.0001 cm²/s"
    assert found.fitted.known


def test_a_lattice_walk_without_correlation(rng):
    """Every frame a step to a neighbour of a simple cubic lattice, 2 Å: D = a²/6 per frame, f = 1."""
    axis, sign = rng.integers(0, 3, size=(2000, 60)), rng.choice([-2.0, 2.0], size=(2000, 60))
    found = tracer_diffusivity(displacements_of((np.eye(3)[axis] * sign[..., None]).cumsum(0)))
    exact = 4.0 / 6 / DT / 10
    assert abs(found.diffusivity.value - exact) < 3 * found.diffusivity.error
    assert abs(found.end_point.value - exact) < 3 * found.end_point.error
    np.testing.assert_allclose(found.tensor, exact * np.eye(3), atol=0.5 * exact)
    assert np.trace(found.tensor) / 3 == pytest.approx(found.fitted.value)
    # the empirical rule: each ion makes some 2000 × 4/9 jumps of 3 Å
    assert found.jumps == pytest.approx(2000 * 60 * 4 / 9, rel=0.4)
    assert found.expected_error == pytest.approx(3.43 / np.sqrt(found.jumps) + 0.04)


def test_a_run_too_short_for_its_window_is_refused(rng):
    with pytest.raises(ValueError, match=r"found 1 lags from 50 to 195 fs, expected at least 2"):
        tracer_diffusivity(displacements_of(brownian(rng, 6, 4, D)), Criteria(window=(0.1, 0.39)))
