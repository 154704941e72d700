import json
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from mlff.report.axis import Axis
from mlff.report.chart import LEVELS, Chart


@pytest.fixture
def chart():
    return Chart(Axis("time, <min>", 0, 10), Axis('error, "meV/Å"', 1, 100, log=True), "error & time")


def parse(chart):
    """The chart as XML: text that is not escaped would not parse."""
    return ElementTree.fromstring(chart.svg())


def test_a_line_goes_where_its_numbers_say(chart):
    chart.line([0, 5, 10], [1, 10, 100], 0, "val")
    left, top, width, height = chart.box
    path = parse(chart).find(".//path[@class='line c0']").get("d")
    points = np.array(re.findall(r"[\d.]+", path), float).reshape(-1, 2)
    np.testing.assert_allclose(points, [[left, top + height], [left + width / 2, top + height / 2], [left + width, top]], atol=0.06)


def test_names_are_escaped_and_the_chart_says_what_it_is(chart):
    chart.line([1, 2], [3, 4], 0, 'a\'b<c>"d"')
    root = parse(chart)
    assert root.get("aria-label") == "error & time"
    hover = json.loads(root.get("data-hover"))
    assert hover["series"][0] == {"name": 'a\'b<c>"d"', "colour": 0, "x": [1.0, 2.0], "y": [3.0, 4.0]}


def test_density_covers_each_filled_cell_once_and_no_other(rng):
    counts = rng.poisson(0.7, size=(12, 12))
    chart = Chart(Axis("x", 0, 1), Axis("y", 0, 1), "density")
    chart.density(counts, 3)
    drawn = np.zeros((12, 12), int)
    for path in parse(chart).iterfind(".//path"):
        if "density" in path.get("class"):
            for column, row, length in np.array(re.findall(r"M(\d+) (\d+)h(\d+)", path.get("d")), int):
                drawn[row, column : column + length] += 1
    np.testing.assert_array_equal(drawn, counts > 0)


def test_fuller_cells_have_deeper_shades():
    chart = Chart(Axis("x", 0, 1), Axis("y", 0, 1), "density")
    chart.density(np.array([[1, 1000], [0, 30]]), 0)
    levels = [int(re.search(r"d(\d)", p.get("class"))[1]) for p in parse(chart).iterfind(".//path") if "density" in p.get("class")]
    assert levels[0] == 1
    assert levels == sorted(levels)
    assert levels[-1] == LEVELS


def test_a_slope_ends_inside_the_plane():
    chart = Chart(Axis("x", -1, 1), Axis("y", -1, 1), "slope")
    chart.slope(2.0, "fit")
    left, top, width, height = chart.box
    points = np.array(re.findall(r"[\d.]+", parse(chart).find(".//path[@class='fit']").get("d")), float).reshape(-1, 2)
    np.testing.assert_allclose(points, [[left + width / 4, top + height], [left + 3 * width / 4, top]], atol=0.06)


@pytest.mark.parametrize(("x", "anchor"), [(1.0, None), (9.5, "end")])
def test_the_words_beside_a_rule_stay_inside_the_plane(chart, x, anchor):
    chart.rule(x=x, text="stage 2")
    (words,) = [e for e in parse(chart).iter() if e.text == "stage 2"]
    line = chart.box[0] + chart.box[2] * x / 10
    assert words.get("text-anchor") == anchor
    assert (float(words.get("x")) > line) == (anchor is None)


def test_bars_bounds_and_windows_lie_where_their_numbers_say(chart):
    left, top, width, height = chart.box
    chart.errors([5], [1], [10], 0)
    chart.upper_limits([5], [10], 1, "bound")
    chart.window(2.5, 5)
    bar, arrow, window = (parse(chart).find(f".//path[@class='{c}']").get("d") for c in ("line c0", "line c1", "window"))
    middle, bottom = left + width / 2, top + height
    assert bar == f"M{middle - 3:.1f} {bottom:.1f}h6m-3 0V{top + height / 2:.1f}m-3 0h6"
    assert arrow.startswith(f"M{middle - 5:.1f} {top + height / 2:.1f}h10m-5 0v18")  # down
    assert window == f"M{left + width / 4:.1f} {top}H{middle:.1f}v{height}H{left + width / 4:.1f}Z"


def test_upright_bars_lie_between_their_ends_and_tell_their_length():
    chart = Chart(Axis("round", -0.5, 1.5), Axis("y", 0, 10), "bars")
    chart.bars([0, 1], [0, 5], [5, 10], 2, "n")
    left, top, width, height = chart.box
    a, b = left + width * (0.5 - 0.38) / 2, left + width * (0.5 + 0.38) / 2
    assert f"M{a:.1f} {top + height / 2:.1f}H{b:.1f}V{top + height:.1f}H{a:.1f}Z" in chart.svg()
    assert json.loads(parse(chart).get("data-hover"))["series"][0]["y"] == [5, 5]
