import numpy as np
import pytest
from scipy.stats import t

from mlff.analysis.statistics.blocks import Blocks
from mlff.analysis.statistics.jackknife import ONE_SIGMA, estimate, jackknife


def filled(samples: np.ndarray) -> Blocks:
    blocks = Blocks(samples.shape[1:])
    for sample in samples:
        blocks.add(sample)
    return blocks


def test_of_a_mean_it_is_the_standard_error_widened_for_few_blocks(rng):
    blocks = filled(rng.normal(size=(10, 3)))
    value, error = jackknife(blocks, lambda mean: 2 * mean)
    np.testing.assert_allclose(value, 2 * blocks.mean())
    np.testing.assert_allclose(error, 2 * blocks.error() * t.ppf(ONE_SIGMA, 9))


def test_of_a_ratio_it_is_the_delta_method(rng):
    samples = np.array([5.0, 3.0]) + rng.normal(size=(30, 2))
    value, error = jackknife(filled(samples), lambda mean: mean[0] / mean[1])
    residual = (samples[:, 0] - value * samples[:, 1]) / samples[:, 1].mean()
    assert error == pytest.approx(residual.std(ddof=1) / np.sqrt(30), rel=0.05)


def test_samples_that_share_data_are_joined(rng):
    """Each value comes eight times: as samples of their own they would look √8 times as good."""
    samples = np.repeat(rng.normal(size=(3, 1)), 8, axis=0)
    error = jackknife(filled(samples), lambda mean: mean, least=8)[1]
    alone = jackknife(filled(samples[::8]), lambda mean: mean)[1]
    np.testing.assert_allclose(error, alone)
    assert jackknife(filled(samples), lambda mean: mean)[1] < alone / 2


def test_one_stretch_has_no_error(rng):
    value, error = jackknife(filled(rng.normal(size=(20, 2))), lambda mean: mean, least=11)
    assert np.isnan(error).all()
    assert str(estimate(value[0], error[0])) == "no result (the run is too short for an error)"
