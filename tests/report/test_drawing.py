"""One panel as a chart of the page, as a picture and as a table: the same numbers, and only those that the axes can show."""

import csv
import json
import re
from html import unescape

import numpy as np
import pytest
from PIL import Image

from mlff.report.drawing import chart_of, write_panel_csv, write_panel_pictures
from mlff.report.drawing.on_paper import file_names
from mlff.report.look import COLOURS
from mlff.report.panels import Curve, Curves, HeatMap, Network, Particles, Volume

CELL = np.array([[8.0, 0, 0], [2.0, 7.0, 0], [-1.0, 3.0, 9.0]])
X = np.linspace(0.0, 10.0, 21)  # its first value has no logarithm
CURVES = Curves(
    "Displacement",
    "lag, ps",
    "MSD, Å²",
    [Curve("all", X, X**2, 0.1 * X), Curve("bound", X[5:7], X[5:7], style="bounds"), Curve("few", X[::5], X[::5], X[::5] / 9, "points")],
    log_x=True,
    log_y=True,
    windows=[(1.0, 5.0)],
    levels={"most": 50.0},
)
MAP = HeatMap("Map", "r, Å", "angle, °", "density, Å⁻³", np.arange(4.0), np.arange(3.0), np.array([[1.0, 2, 3], [np.nan, 0, 6]]), log=True)
VOLUME = Volume("Density", "density, Å⁻³", CELL, np.arange(24.0).reshape(2, 3, 4), positions=CELL / 2, symbols=["S"] * 3)
NETWORK = Network(
    "Hops", CELL, CELL / 3, np.array([0.2, 0.9, 0.5]), np.array([[0, 1], [1, 2]]), np.array([[3.0, 0, 0], [0, 2.0, 1]]), np.array([4, 1])
)
PARTICLES = Particles(
    "Soft",
    "softness",
    CELL,
    CELL / 3,
    np.array([-1.0, 0.0, 1.0]),
    np.stack([CELL / 3, CELL / 2], axis=1),
    ["PS4", "P2S7", "PS4"],
    middle=0.0,
)
EVERY = pytest.mark.parametrize("panel", [CURVES, MAP, VOLUME, NETWORK, PARTICLES], ids=lambda panel: type(panel).__name__)


def hover_of(svg: str) -> dict:
    return json.loads(unescape(re.search(r"data-hover='([^']*)'", svg)[1]))


def rows_of(path) -> list[list[str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@EVERY
def test_every_panel_is_drawn_in_every_form(panel, tmp_path):
    figure = chart_of(panel)
    assert figure.title == panel.title
    assert panel.title in figure.svg
    paths = write_panel_pictures(tmp_path, {"group": [panel]}, ("png", "pdf"))
    assert [path.suffix for path in paths] == [".png", ".pdf"]
    picture = np.asarray(Image.open(paths[0]).convert("L"))
    assert np.unique(picture).size > 20  # something was drawn
    assert write_panel_csv(tmp_path / "csv" / "panel.csv", panel).read_text(encoding="utf-8").count("\n") > 2


def test_what_has_no_logarithm_is_left_out_of_the_chart_but_not_of_the_table(tmp_path):
    series = {s["name"]: s for s in hover_of(chart_of(CURVES).svg)["series"]}
    assert series["all"]["x"] == pytest.approx(X[1:])
    assert series["all"]["y"] == pytest.approx(X[1:] ** 2)
    assert series["bound, upper bound"]["y"] == pytest.approx(X[5:7])
    rows = rows_of(write_panel_csv(tmp_path / "panel.csv", CURVES))
    assert rows[0] == ["curve", "lag, ps", "MSD, Å²", "error"]
    assert [float(row[2]) for row in rows if row[0] == "all"] == pytest.approx(X**2)
    assert [row[3] for row in rows if row[0] == "bound"] == ["", ""]


def test_curves_of_one_name_share_a_colour_and_a_place_in_the_legend():
    panel = Curves("T", "x", "y", [Curve("a", X, X), Curve("b", X, 2 * X), Curve("a", X[::4], X[::4], style="points")])
    assert chart_of(panel).legend == ((0, "a"), (1, "b"))


def test_long_curves_are_thinned_and_keep_their_ends():
    x = np.linspace(0, 1, 5001)
    shown = hover_of(chart_of(Curves("T", "x", "y", [Curve("a", x, x)])).svg)["series"][0]["x"]
    assert len(shown) == 400
    assert (shown[0], shown[-1]) == (0.0, 1.0)


def test_a_panel_without_any_value_is_still_drawn(tmp_path):
    nothing = Curves("Nothing", "x", "y", [Curve("a", X, np.full(21, np.nan))], log_y=True)
    assert hover_of(chart_of(nothing).svg)["series"] == []
    assert write_panel_pictures(tmp_path, {"g": [nothing]}, ["png"])[0].stat().st_size > 0


def test_the_map_tells_its_values_and_what_is_not_known():
    hover = hover_of(chart_of(MAP).svg)
    assert hover["map"]["values"] == [[1.0, 2.0, 3.0], [None, 0.0, 6.0]]
    assert hover["map"]["label"] == "density, Å⁻³"


def test_a_scene_holds_the_fullest_places_and_the_atoms():
    scene = json.loads(unescape(re.search(r'data-scene="([^"]*)"', chart_of(VOLUME).svg)[1]))
    places, atoms = scene["points"]
    assert len(scene["cell"]) == 12
    assert len(atoms) == 3
    assert len(places) == 23  # one of the 24 is 0
    assert places[0][:3] == pytest.approx(np.array([1 / 2, 2 / 3, 3 / 4]) @ CELL, abs=0.01)


def test_particles_have_two_colours_about_the_middle_and_lines_that_of_their_kind():
    figure = chart_of(PARTICLES)
    scene = json.loads(unescape(re.search(r'data-scene="([^"]*)"', figure.svg)[1]))
    hard, middle, soft = (np.array([int(dot[3][k : k + 2], 16) for k in (1, 3, 5)]) for dot in scene["points"][0])
    assert hard[2] > hard[0]  # blue
    assert soft[0] > soft[2]  # red
    assert np.ptp(middle) < 15  # grey
    assert [line[-1] for line in scene["lines"]] == [COLOURS[0], COLOURS[1], COLOURS[0]]
    assert figure.legend == ((0, "PS4"), (1, "P2S7"))


def test_files_are_named_apart():
    panels = [MAP, MAP, CURVES, MAP]
    assert file_names("g(r)", panels) == ["g_r_map", "g_r_map_2", "g_r_displacement", "g_r_map_3"]


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="expected one length"):
        Curve("a", X, X[:3])
    with pytest.raises(ValueError, match="line, dashed"):
        Curve("a", X, X, style="dotted")
    with pytest.raises(ValueError, match=r"expected \(2, 3\) from its edges"):
        HeatMap("Map", "x", "y", "v", np.arange(4.0), np.arange(3.0), np.zeros((3, 2)))


def test_particles_without_a_value_each_are_refused():
    with pytest.raises(ValueError, match="3 positions, 2 values"):
        Particles("Soft", "softness", CELL, CELL, np.zeros(2))


def test_what_is_no_panel_is_refused():
    with pytest.raises(TypeError, match="found a dict, expected a panel"):
        chart_of({})
