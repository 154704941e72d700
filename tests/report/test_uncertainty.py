import dataclasses

import numpy as np
import pytest

from mlff.report import UncertaintyContent
from mlff.uncertainty import uncertainty_metrics


@pytest.fixture
def arrays(rng):
    """Deviation, σ_c, errors and group of 300 atoms."""
    sigma = 0.02 * 10 ** rng.random(300)
    return np.sqrt(3) * sigma, sigma, sigma[:, None] * rng.normal(size=(300, 3)), np.repeat(["Li", "framework"], [100, 200])


def test_each_group_holds_its_own_atoms(arrays):
    deviation, sigma, errors, groups = arrays
    content = UncertaintyContent.from_arrays(*arrays, grade=deviation, note="10 test frames")
    assert content.note == "10 test frames"
    assert {name: len(group.sigma) for name, group in content.groups.items()} == {"Li": 100, "framework": 200, "all": 300}
    lithium = content.groups["Li"]
    np.testing.assert_array_equal(lithium.sigma, sigma[:100])
    np.testing.assert_allclose(lithium.error, np.linalg.norm(errors[:100], axis=1) / np.sqrt(3))
    assert lithium.metrics == uncertainty_metrics(deviation, sigma, errors, groups, deviation)["Li"]
    assert lithium.sparsification.remaining[0] == pytest.approx(lithium.metrics["rmse"])
    assert np.interp(0.6827, lithium.coverage.expected, lithium.coverage.observed) == pytest.approx(
        lithium.metrics["coverage_68"], abs=0.01
    )


def test_no_group_is_refused(content):
    with pytest.raises(ValueError, match="found no group of atoms; give at least one"):
        dataclasses.replace(content.uncertainty, groups={})
