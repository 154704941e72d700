import numpy as np
import pytest

from mlff.analysis import Estimate, constraint_reduction


def ladder(*values):
    return dict(
        zip(("UC", "RC", "RTC", "RTVC"), (v if isinstance(v, Estimate) else Estimate(v, 0.1 * v, unit="S/cm") for v in values), strict=True)
    )


def below(upper):
    return Estimate(None, upper=upper, unit="S/cm")


def test_decades_and_shares(rng):
    found = constraint_reduction(ladder(1.0, 1e-1, 1e-1, 1e-4))
    assert {k: v.value for k, v in found.decrease.items()} == pytest.approx({"rotation": 1.0, "translation": 0.0, "vibration": 3.0})
    assert {k: v.value for k, v in found.share.items()} == pytest.approx({"rotation": 0.25, "translation": 0.0, "vibration": 0.75})
    draws = 10 ** (np.log10([1.0, 1e-1, 1e-1, 1e-4]) + 0.1 / np.log(10) * rng.normal(size=(20000, 4)))
    log = np.log10(draws)
    assert found.decrease["rotation"].error == pytest.approx((log[:, 0] - log[:, 1]).std(), rel=0.03)
    shares = -np.diff(log, axis=1) / (log[:, 0] - log[:, 3])[:, None]
    assert [v.error for v in found.share.values()] == pytest.approx(shares.std(0), rel=0.05)


def test_bounds_give_bounds():
    found = constraint_reduction(ladder(1.0, 1e-1, below(1e-4), below(1e-4)))
    assert found.decrease["rotation"].known
    assert found.decrease["translation"].lower == pytest.approx(3.0, abs=0.1)
    assert found.decrease["translation"].upper is None
    assert str(found.decrease["vibration"]) == "no result (σ is bounded on both sides of the step)"
    # rotation is at most one decade of at least four; its 95 % limits are a tenth wider
    assert found.share["rotation"].upper == pytest.approx(0.25, abs=0.04)
    assert found.share["rotation"].lower is None  # all the rest may be without end
    assert not found.share["translation"].known
    last = constraint_reduction(ladder(1.0, 1e-1, 1e-2, below(1e-4)))
    assert last.share["vibration"].lower == pytest.approx(0.5, abs=0.05)
    assert last.share["vibration"].upper == pytest.approx(1.0)


def test_constraints_that_do_not_slow_share_nothing():
    assert str(constraint_reduction(ladder(1.0, 1.0, 1.0, 1.0)).share["rotation"]).startswith("no result (the constraints together")
    assert not constraint_reduction(ladder(1e-3, 1e-3, 1e-3, below(1.0))).share["rotation"].known


def test_a_missing_step_is_named():
    with pytest.raises(ValueError, match="no conductivity of RTC, RTVC"):
        constraint_reduction({"UC": below(1.0), "RC": below(1.0)})
