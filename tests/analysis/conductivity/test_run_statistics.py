import numpy as np
import pytest

from mlff.analysis import Estimate, no_result
from mlff.analysis.conductivity.run_statistics import combine_runs

UNIT = "cm²/s"


def runs(values, error):
    return [Estimate(float(v), error, unit=UNIT) for v in values]


def committee(rng, members, repeats, model, between, within):
    """True spreads, and runs that know of their own errors only."""
    offsets = 10.0 + model * rng.normal(size=(members, 1))
    values = offsets + between * rng.normal(size=(members, repeats)) + within * rng.normal(size=(members, repeats))
    return {str(k): runs(row, within) for k, row in enumerate(values)}


def test_each_part_is_found(rng):
    found = combine_runs(committee(rng, 400, 5, model=1.0, between=0.6, within=0.3))
    for part, expected in {"model": 1.0, "between_runs": 0.6, "within": 0.3}.items():
        assert getattr(found, part).value == pytest.approx(expected, rel=0.1)
    assert found.sampling.value == pytest.approx(np.hypot(0.6, 0.3) / np.sqrt(2000), rel=0.1)
    assert found.combined.error == pytest.approx(1.0, rel=0.1)  # the scatter of the members, not over √400


@pytest.mark.parametrize("repeats", [2, 3, 8])
def test_the_error_of_few_runs_holds_68_percent(rng, repeats):
    """Without Student's t two runs would hold 50 %. The runs take themselves for exact."""
    inside = []
    for _ in range(2000):
        found = combine_runs({"one": runs(rng.normal(size=repeats) + 10.0, 0.0)}).combined
        inside.append(abs(found.value - 10.0) < found.error)
    assert np.mean(inside) == pytest.approx(0.683, abs=0.03)


def test_members_that_agree_have_no_model_error_beyond_a_limit(rng):
    """Three members that differ by less than their runs scatter: the limit holds the true difference in most of the cases."""
    limits = [combine_runs(committee(rng, 3, 6, model=0.3, between=0.0, within=1.0)).model for _ in range(400)]
    assert np.mean([limit.limits[1] > 0.3 for limit in limits]) > 0.9
    assert any(not limit.known for limit in limits)


def test_weights_do_not_favour_runs_in_which_little_happened():
    found = combine_runs({"one": [Estimate(1.0, 0.1, unit=UNIT), Estimate(3.0, 1.0, unit=UNIT)]})
    assert found.combined.value == 2.0
    unequal = combine_runs({"one": runs([1, 1, 1, 1], 0.1), "two": runs([3], 0.1)})
    assert unequal.combined.value == 2.0


def test_one_run_is_as_it_is():
    found = combine_runs({"one": runs([2.0], 0.5)})
    assert (found.combined.value, found.combined.error) == (2.0, 0.5)
    assert str(found.model) == "no result (one member)"
    assert str(found.between_runs) == "no result (one run)"
    single = combine_runs({"a": runs([1.0], 0.1), "b": runs([3.0], 0.1)})
    assert str(single.between_runs) == "no result (one run per member)"
    assert single.model.value == pytest.approx(np.sqrt(2 - 0.01))


def test_bounds_remain_bounds():
    bound = Estimate(None, upper=1.0, unit=UNIT)
    assert combine_runs({"one": [bound, Estimate(None, upper=3.0, unit=UNIT)]}).combined.upper == 2.0
    mixed = combine_runs({"one": [bound, *runs([4.0], 0.2)]}).combined
    assert mixed.upper == pytest.approx((1 + 4 + 1.645 * 0.2) / 2)
    assert mixed.lower == pytest.approx((4 - 1.645 * 0.2) / 2)
    assert str(combine_runs({"one": [no_result("nothing moved", UNIT)]}).combined) == "no result (1 runs gave no value)"


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(ValueError, match="found 0 runs in the units"):
        combine_runs({"one": []})
    with pytest.raises(ValueError, match=r"found 2 runs in the units \['S/cm', 'cm²/s'\]"):
        combine_runs({"one": [*runs([1.0], 0.1), Estimate(1.0, 0.1, unit="S/cm")]})
