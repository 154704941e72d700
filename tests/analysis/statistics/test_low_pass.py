import numpy as np
import pytest

from mlff.analysis.statistics.low_pass import LowPass
from mlff.units import PER_CM

DT = 20.0  # fs


@pytest.mark.parametrize(
    ("wavenumber", "least", "most"), [(1.0, 0.98, 1.0), (2.5, 0.85, 0.95), (5.0, 0.45, 0.55), (10.0, -0.01, 0.01), (200.0, -0.001, 0.001)]
)
def test_waves_above_the_cut_off_do_not_pass(wavenumber, least, most):
    """At 5 cm⁻¹, without a shift in time: the gain is that of cosine and sine alike."""
    t = DT * np.arange(3000)
    x = np.stack([np.cos(2 * np.pi * wavenumber * PER_CM * t), np.sin(2 * np.pi * wavenumber * PER_CM * t)], axis=1)
    low_pass = LowPass(5.0, DT, 2)
    first, outputs = low_pass.update(x)
    at = low_pass.frames(first + np.arange(len(outputs)))
    gain = (outputs * x[at]).sum(1)
    assert least < gain.min() <= gain.max() < most
    np.testing.assert_allclose(outputs, gain.mean() * x[at], atol=1e-9)


def test_a_constant_passes_and_chunks_do_not_matter(rng):
    x = 60 + rng.normal(size=(2000, 3))
    _, whole = LowPass(5.0, DT, 3).update(x)
    assert whole == pytest.approx(60, abs=0.5)
    parts, low_pass = [], LowPass(5.0, DT, 3)
    for begin in range(0, 2000, 7):
        first, outputs = low_pass.update(x[begin : begin + 7])
        assert first == sum(len(part) for part in parts)
        parts.append(outputs)
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_run_shorter_than_the_filter_has_no_output():
    low_pass = LowPass(5.0, DT, 1)
    assert len(low_pass.update(np.ones((2 * low_pass.half, 1)))[1]) == 0
    assert len(low_pass.update(np.ones((1, 1)))[1]) == 1
    with pytest.raises(ValueError, match="cut-off of 0 cm⁻¹"):
        LowPass(0, DT, 1)
