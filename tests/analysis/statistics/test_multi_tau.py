import numpy as np
import pytest

from mlff.analysis.statistics.multi_tau import PAIRS, MultiTau, lags


def test_lags_grow_as_powers():
    np.testing.assert_array_equal(lags(11), [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48])


@pytest.mark.parametrize("sizes", [[1000], [1], [7, 64, 129]])
def test_sums_are_those_of_every_pair_at_the_origins_of_the_lag(rng, sizes):
    walk = rng.normal(size=(1000, 3, 4)).cumsum(0)
    tau, begin = MultiTau(4), 0
    while begin < len(walk):
        for size in sizes:
            tau.update(walk[begin : begin + size])
            begin += size
    np.testing.assert_array_equal(tau.lags, [*lags(19)])  # up to 768
    for lag, count, sums in zip(tau.lags, tau.counts, tau.sums, strict=True):
        spacing = max(1, 2 ** int(np.log2(lag)) // 2)  # origins at half of the lag's power of two
        origins = np.arange(0, len(walk) - lag, spacing)
        d = walk[origins + lag] - walk[origins]
        assert count == len(origins)
        # float64 sums over 10³ terms
        np.testing.assert_allclose(sums, [(d[:, a] * d[:, b]).sum(0) for a, b in PAIRS], rtol=1e-11, atol=1e-9)


def test_one_frame_has_no_lag():
    tau = MultiTau(2)
    tau.update(np.ones((1, 3, 2)))
    assert len(tau.lags) == 0
