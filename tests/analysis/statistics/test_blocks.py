import numpy as np
import pytest

from mlff.analysis.statistics.blocks import MOST, Blocks


def filled(samples):
    blocks = Blocks(())
    for sample in samples:
        blocks.add(sample)
    return blocks


@pytest.mark.parametrize("n", [1, 31, 32, 33, 500, 1000])
def test_blocks_are_equal_and_few(rng, n):
    samples = rng.normal(size=n)
    blocks = filled(samples)
    whole = n // int(blocks.length)
    assert len(blocks.sums) == whole < MOST
    np.testing.assert_allclose(blocks.sums, samples[: whole * int(blocks.length)].reshape(whole, -1).sum(1), atol=1e-12)
    assert blocks.mean() == pytest.approx(samples.mean())
    assert np.isnan(blocks.error()) == (n < 2)


def test_the_error_sees_correlation(rng):
    """Each sample repeated 10 times: an error as of independent samples would be √10 too small."""
    repeated = np.repeat(rng.normal(size=400), 10)
    assert filled(repeated).error() == pytest.approx(1 / np.sqrt(400), rel=0.4)


def test_blocks_of_other_lengths_join(rng):
    one, other = rng.normal(size=700), rng.normal(size=90)
    for first, second in ((one, other), (other, one)):
        blocks = filled(first)
        blocks.merge(filled(second))
        assert blocks.n == 790
        assert blocks.mean() == pytest.approx(np.concatenate([one, other]).mean())
        assert len(blocks.sums) * blocks.length <= 790
        assert blocks.error() == pytest.approx(1 / np.sqrt(790), rel=0.5)
