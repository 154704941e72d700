import pytest

from mlff.analysis import Estimate, no_result


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(1.234e-6, 3.4e-7, unit="cm²/s"), "(1.2 ± 0.3)e-6 cm²/s"),
        (Estimate(1.234e-6, 1.4e-7, unit="cm²/s"), "(1.23 ± 0.14)e-6 cm²/s"),
        (Estimate(1.234e-6, 3.4e-6, unit="cm²/s"), "(1 ± 3)e-6 cm²/s"),
        (Estimate(0.3149, 0.0404, unit="eV"), "0.31 ± 0.04 eV"),
        (Estimate(-12.6, 3.0), "−13 ± 3"),
        (Estimate(999.7, 20.0), "1000 ± 20"),
        (Estimate(0.0, 0.5), "0.0 ± 0.5"),
        (Estimate(None, upper=4.04e-9, unit="cm²/s"), "< 4e-9 cm²/s"),
        (Estimate(None, upper=9.96e-9, unit="cm²/s"), "< 1e-8 cm²/s"),
        (Estimate(None, lower=2.5), "> 2.5"),
        (Estimate(None, lower=0.2, upper=0.9), "0.2 to 0.9"),
        (no_result("nothing moved"), "no result (nothing moved)"),
    ],
)
def test_text(estimate, text):
    assert str(estimate) == text


def test_limits_are_those_of_95_percent():
    assert Estimate(10.0, 2.0).limits == pytest.approx((6.71, 13.29))
    assert Estimate(None, upper=3.0).limits == (float("-inf"), 3.0)


def test_units_change_value_error_and_bounds_alike():
    assert Estimate(2.0, 0.5).times(3.0, "mS/cm") == Estimate(6.0, 1.5, unit="mS/cm")
    assert Estimate(None, upper=2.0, reason="r").times(3.0, "mS/cm") == Estimate(None, upper=6.0, unit="mS/cm", reason="r")


def test_a_value_without_an_error_is_refused():
    with pytest.raises(ValueError, match=r"value 1\.0 with the error None; give a finite value with an error"):
        Estimate(1.0)
    with pytest.raises(ValueError, match="found a value and bounds"):
        Estimate(1.0, 0.1, upper=2.0)
