"""P_R(S, T): barriers and prefactors that were put in come out."""

import numpy as np
import pytest

from mlff.units import K_B
from softness.activation import activation

TEMPERATURES = (400.0, 500.0, 600.0, 800.0)


def hopping(rng, n=400_000):
    """ΔE = 0.25 − 0.05 S eV, Σ = 1 + 0.5 S."""
    samples = {}
    for T in TEMPERATURES:
        softness = rng.normal(size=n)
        p = np.exp(1.0 + 0.5 * softness - (0.25 - 0.05 * softness) / (K_B * T))
        samples[T] = (softness, rng.random(n) < p)
    return samples


def test_barriers_and_prefactors_come_out(rng):
    found = activation(hopping(rng), n_bins=6)
    inner = slice(1, 5)  # the outer bins are wide: their mean of exponentials is not that of the mean softness
    pulls = (found.barrier - (0.25 - 0.05 * found.softness))[inner] / found.barrier_error[inner]
    assert abs(pulls).max() < 3.5
    assert (found.barrier_error[inner] < 0.02).all()
    assert abs((found.prefactor - (1 + 0.5 * found.softness))[inner] / found.prefactor_error[inner]).max() < 3.5
    exact = np.exp(1.0 - 0.25 / (K_B * 500.0))
    assert found.at(np.zeros(1), 500.0)[0] == pytest.approx(exact, rel=0.1)


def test_errors_are_those_of_the_number_of_hops(rng):
    found = activation(hopping(rng, 4000), n_bins=4)
    counts = np.square(found.probability / found.error)
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-6)


def test_bins_without_hops_tell_nothing(rng):
    samples = {T: (softness, moved & (softness > 0)) for T, (softness, moved) in hopping(rng, 20_000).items()}
    found = activation(samples, edges=[-3, -1, 0, 1, 3])
    assert np.isnan(found.probability[:, :2]).all()
    assert np.isnan(found.barrier[:2]).all()
    assert np.isfinite(found.barrier[2:]).all()


def test_without_lines_there_is_no_probability(rng):
    found = activation({T: values for T, values in hopping(rng, 20_000).items() if T < 550})
    assert np.isnan(found.at(np.zeros(2), 300.0)).all()


def test_reduced_units(rng):
    samples = {T: (s, rng.random(len(s)) < np.exp(-1.0 / T)) for T, s in ((t, rng.normal(size=50_000)) for t in (0.4, 0.5, 0.7))}
    found = activation(samples, n_bins=2, k=1.0)
    np.testing.assert_allclose(found.barrier, 1.0, atol=0.1)


def test_nothing_is_refused():
    with pytest.raises(ValueError, match="found particles at 0 temperatures"):
        activation({})
