import numpy as np
import pytest

from mlff.report.axis import Axis, tick_text


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.7, 12.2), (1e-5, 3e-5), (1200, 98_000), (-2e-3, -1e-3)])
def test_linear_ticks_are_few_round_and_inside(low, high):
    ticks = np.array(Axis("x", low, high).ticks())
    assert 2 <= len(ticks) <= 7
    assert ((ticks >= low - 1e-9 * abs(low)) & (ticks <= high)).all()
    lead = np.diff(ticks)[0] / 10 ** np.floor(np.log10(np.diff(ticks)[0]) + 1e-9)
    assert min(abs(lead - np.array([1, 2, 5, 10]))) < 1e-6


@pytest.mark.parametrize(("low", "high"), [(0.2, 30), (1e-6, 10), (1, 5.1), (1e-9, 1e9)])
def test_logarithmic_ticks_are_few_and_inside(low, high):
    ticks = np.array(Axis("x", low, high, log=True).ticks())
    assert 2 <= len(ticks) <= 9
    assert ((ticks >= low) & (ticks <= high)).all()


def test_places_run_from_zero_to_one_and_stop_there():
    np.testing.assert_allclose(Axis("x", -1, 3).place([-1, 0, 3, 9]), [0, 0.25, 1, 1])
    np.testing.assert_allclose(Axis("x", 1, 100, log=True).place([0, 1, 10, 100]), [0, 0, 0.5, 1])


def test_around_holds_its_values():
    axis = Axis.around("x", np.array([2.0, 5.0, np.nan]))
    assert axis.low < 2.0 < 5.0 < axis.high
    axis = Axis.around("x", np.array([0.0, 1e-3, 1.0]), log=True)
    assert 0 < axis.low < 1e-3 < 1.0 < axis.high
    assert Axis.around("x", np.array([2.0, 5.0]), zero=True).low == 0.0
    assert Axis.around("x").low < Axis.around("x").high


def test_an_impossible_range_is_refused():
    with pytest.raises(ValueError, match="expected low < high, both positive if logarithmic"):
        Axis("x", 0.0, 1.0, log=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.05, "−0.05"),
        (20, "20"),
        (30_000, "30k"),
        (1e-5, "10⁻⁵"),
        (3e-4, "3·10⁻⁴"),
        (2e6, "2·10⁶"),
        (0.30000000000000004, "0.3"),
    ],
)
def test_tick_text(value, text):
    assert tick_text(value) == text


@pytest.mark.parametrize(("high", "expected"), [(0.5, [0]), (2.5, [0, 1, 2]), (26.5, [0, 10, 20])])
def test_what_is_counted_has_whole_ticks(high, expected):
    assert Axis("round", -0.5, high, whole=True).ticks() == expected
