"""Several trajectories side by side."""

import numpy as np

from mlff.report.comparison import MOST_CURVES, together
from mlff.report.panels import Curve, Curves, HeatMap

X = np.linspace(0, 4, 9)
FINE = np.linspace(0, 4, 33)


def curves(title: str, x: np.ndarray, factor: float, *names: str) -> Curves:
    return Curves(title, "r, Å", "g", [Curve(name, x, factor * x, np.full(len(x), 0.3 * factor)) for name in names], log_y=True)


def test_one_trajectory_alone_stays_as_it_is():
    panel = curves("g(r)", X, 1, "Li–S", "Li–Li")
    assert together({"a": [panel]}) == [panel]


def test_curves_of_one_name_share_a_plane():
    panels = {name: [curves("g(r)", X, k, "Li–S", "Li–Li")] for k, name in enumerate(("300 K", "600 K", "900 K"), 1)}
    found = together(panels)
    assert [panel.title for panel in found] == ["g(r), Li–S", "g(r), Li–Li"]
    assert [curve.name for curve in found[0].curves] == ["300 K", "600 K", "900 K"]


def test_of_two_the_difference_follows_on_the_first_one_s_places():
    found = together({"AIMD": [curves("g(r)", X, 1, "Li–S")], "ML": [curves("g(r)", FINE, 2, "Li–S")]})
    assert [panel.title for panel in found] == ["g(r), Li–S", "g(r), Li–S, difference"]
    (difference,) = found[1].curves
    assert difference.name == "ML − AIMD"
    np.testing.assert_allclose(difference.x, X)
    np.testing.assert_allclose(difference.y, X)
    np.testing.assert_allclose(difference.error, np.hypot(0.3, 0.6))
    assert not found[1].log_y  # a difference may be negative


def test_a_plane_holds_no_more_curves_than_there_are_colours():
    panels = {f"run {k}": [curves("g(r)", X, k, "Li–S")] for k in range(1, 11)}
    assert [len(panel.curves) for panel in together(panels)] == [MOST_CURVES, 2]


def test_maps_stand_next_to_each_other():
    panel = HeatMap("Map", "x", "y", "v", np.arange(3.0), np.arange(3.0), np.ones((2, 2)))
    assert [p.title for p in together({"a": [panel], "b": [panel]})] == ["Map, a", "Map, b"]


def test_what_one_alone_has_is_kept():
    found = together({"a": [curves("g(r)", X, 1, "Li–S")], "b": [curves("g(r)", X, 1, "Li–S"), curves("angles", X, 1, "PS4")]})
    assert [panel.title for panel in found] == ["g(r), Li–S", "g(r), Li–S, difference", "angles, PS4"]
    assert [curve.name for curve in found[2].curves] == ["b"]
