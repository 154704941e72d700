import numpy as np
import pytest

from mlff.analysis import Estimate, no_result
from mlff.analysis.conductivity.sampling_advice import cell_size, expected_error, jumps_for, run_length
from mlff.units import CM2_PER_S

NS = 1e6  # fs


def test_the_law_of_he_and_its_inverse():
    assert expected_error(100.0) == pytest.approx(0.383)
    assert expected_error(jumps_for(0.2)) == pytest.approx(0.2)
    assert jumps_for(0.04) is None


def test_half_the_error_takes_four_times_as_long():
    """Few jumps by He's law: the longer of the two answers is given, and their difference as its error."""
    found = run_length(Estimate(1e-6, 4e-7, unit="cm²/s"), jumps=1e4, duration=2 * NS, n_ions=20, wanted=0.2)
    assert found.from_error == pytest.approx(8 * NS)
    assert found.from_jumps == pytest.approx(2 * NS * (3.43 / 0.16) ** 2 / 1e4)
    assert found.total.value == found.from_error
    assert found.total.error == pytest.approx(found.from_error - found.from_jumps)
    assert found.advice == "run 4 times as long in all"
    few = run_length(Estimate(1e-6, 4e-7, unit="cm²/s"), jumps=20, duration=2 * NS, n_ions=20, wanted=0.2)
    assert few.total.value == few.from_jumps > few.from_error


def test_what_is_known_well_enough():
    found = run_length(Estimate(1e-6, 5e-8, unit="cm²/s"), jumps=1e4, duration=NS, n_ions=20)
    assert found.advice == "the run is long enough"
    assert found.total.value < NS


def test_a_bound_gives_a_bound():
    """At the bound, 50 ions make the 459 jumps of a 20 % error in exactly the time that is told."""
    bound = Estimate(None, upper=1e-8, unit="cm²/s")
    found = run_length(bound, jumps=0.0, duration=NS, n_ions=50, jump_length=3.0)
    assert not found.total.known
    assert 6 * 50 * 1e-8 * CM2_PER_S * found.total.lower / 9.0 == pytest.approx((3.43 / 0.16) ** 2)
    assert found.advice.startswith("run at least 1.4e+02 times as long, or hotter")
    already = run_length(bound, jumps=0.0, duration=1e6 * NS, n_ions=50)
    assert already.total.lower == 1e6 * NS


def test_errors_that_no_single_run_reaches():
    found = run_length(Estimate(1e-6, 1e-7, unit="cm²/s"), jumps=1e4, duration=NS, n_ions=20, wanted=0.02)
    assert found.from_jumps is None
    assert found.advice.endswith("average several")
    assert found.total.value == pytest.approx(25 * NS)
    bounded = run_length(Estimate(None, upper=1e-8, unit="cm²/s"), 0.0, NS, 20, wanted=0.02)
    assert bounded.advice.startswith("nothing can be said: the wanted error is out of reach")
    assert str(run_length(no_result("no run"), 0.0, NS, 20).total) == "no result (the diffusivity is neither known nor bounded)"
    with pytest.raises(ValueError, match=r"found a wanted error of 0, .* expected positive numbers"):
        run_length(Estimate(1e-6, 1e-7), 10.0, NS, 20, wanted=0)


def test_the_height_of_a_cell_is_not_the_length_of_its_vectors():
    """All three vectors are 10 Å long, but two make an angle of 30°: the heights along them are 5 Å."""
    cell = 10.0 * np.array([[1, 0, 0], [np.cos(np.pi / 6), 0.5, 0], [0, 0, 1]])
    found = cell_size(cell, jump_length=3.0)
    np.testing.assert_allclose(found.heights, [5, 5, 10])
    assert found.needed == 6.0
    assert "5 Å high along a, expected at least 6 Å, twice the length of a jump" in found.warnings[0]
    assert "Yeh–Hummer correction is for liquids" in found.warnings[0]
    assert cell_size(cell, jump_length=2.4).warnings == ()
    assert "twice the length of a string of ions" in cell_size(cell, jump_length=2.4, string_length=8.0).warnings[0]
    with pytest.raises(ValueError, match="found a cell without volume"):
        cell_size(np.zeros((3, 3)))
