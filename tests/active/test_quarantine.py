"""The alarm sounds where quarantine takes the uncertain frames, and there alone."""

import numpy as np
import pytest

from mlff.active.quarantine import SIGNIFICANCE, alarm


def test_the_most_uncertain_frames_in_quarantine_raise_the_alarm(rng):
    uncertainty = rng.permutation(np.arange(100.0))
    warning = alarm(uncertainty, uncertainty >= 90)
    assert warning.startswith("quarantine holds 10 of 100 frames, and the more uncertain ones: in 100% of pairs")
    assert alarm(np.exp(uncertainty), uncertainty >= 90) == warning  # the order alone counts


def test_the_share_of_pairs_is_told():
    """Of 40 frames those ranked 20 to 35 are lost: 16 × (20 × 1 + 4 × 0) of 16 × 24 pairs."""
    uncertainty = np.arange(40)
    assert "in 83% of pairs" in alarm(uncertainty, (uncertainty >= 20) & (uncertainty < 36))


@pytest.mark.parametrize(
    "lost", [np.zeros(100, bool), np.ones(100, bool), np.arange(100) < 10, np.arange(100) % 10 == 5, np.arange(100) == 99]
)
def test_nothing_most_or_the_least_uncertain_or_one_frame_in_quarantine_raise_none(lost):
    assert alarm(np.arange(100), lost) is None


def test_false_alarms_are_as_rare_as_said(rng):
    n_rounds = 2000
    false = sum(alarm(rng.random(50), np.arange(50) < 10) is not None for _ in range(n_rounds))
    # four standard deviations of a binomial count about the mean
    assert abs(false - SIGNIFICANCE * n_rounds) < 4 * np.sqrt(SIGNIFICANCE * n_rounds)


def test_what_cannot_be_ranked_is_refused():
    with pytest.raises(ValueError, match="1 of 2 uncertainties are NaN"):
        alarm([1.0, np.nan], [True, False])
    with pytest.raises(ValueError, match=r"shape \(2,\) and quarantine of shape \(1,\)"):
        alarm([1.0, 2.0], [True])
