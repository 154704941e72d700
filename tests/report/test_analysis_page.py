"""The page of an analysis: complete, alone, readable on a telephone, and with the same numbers as the files beside it."""

import csv
import html
import json
import re

import numpy as np
import pytest

from mlff.analysis import Estimate, no_result
from mlff.report.analysis_page import FIRST, MOST_REMARKS, AnalysisReport, Observed, numbers_table, remarks_table, write_analysis_report
from mlff.report.panels import Curve, Curves, Description, Number
from tests.report.test_drawing import MAP, NETWORK, VOLUME
from tests.report.test_page import browse, needs_browser

X = np.linspace(0.1, 10, 30)


def description(factor: float, n_panels: int = 1, remarks: tuple[str, ...] = ("Counted in 400 frames.",)) -> Description:
    panels = [Curves(f"MSD {k}", "lag, ps", "MSD, Å²", [Curve("all", X, factor * X, 0.1 * X)]) for k in range(n_panels)]
    numbers = [
        Number("diffusivity", Estimate(factor * 1e-6, 2e-7, unit="cm²/s")),
        Number("hops", Estimate(None, upper=0.01, unit="1/ps", reason="none was seen")),
        Number("angle", no_result("no anion turned", "°")),
    ]
    return Description("Displacements", "How far ions went.", panels, numbers, remarks)


@pytest.fixture(scope="module")
def report() -> AnalysisReport:
    spatial = Description("Places", "Where ions are.", [MAP, VOLUME, NETWORK], [Number("barrier", Estimate(0.21, 0.03, unit="eV"))])
    return AnalysisReport(
        title="Transport: test",
        summary="Two trajectories.",
        observed=[
            Observed("msd", {"600 K": description(1, 12), "900 K": description(3, 12)}),
            Observed("density", {"600 K": spatial}),
        ],
        main=[("D of Li", Estimate(1.2e-6, 3e-7, unit="cm²/s"), "600 K"), ("σ", Estimate(None, upper=1e-4, unit="S/cm"), "300 K")],
        warnings=["No drift was removed."],
        left_out={"vibrations": "found no velocities"},
        setup={"600 K": {"atoms": 128, "mobile ion": "Li"}},
    )


@pytest.fixture(scope="module")
def written(report, tmp_path_factory):
    folder = tmp_path_factory.mktemp("analysis")
    write_analysis_report(report, folder, ["png"])
    return folder


def test_page_tables_and_files_hold_the_same_numbers(written):
    page = html.unescape((written / "report.html").read_text(encoding="utf-8"))
    words = json.loads((written / "numbers.json").read_text(encoding="utf-8"))
    told = {n["name"]: n for n in words["observables"]["msd"]["900 K"]}
    assert told["diffusivity"] == {"name": "diffusivity", "value": 3e-6, "error": 2e-7, "unit": "cm²/s", "text": "(3.0 ± 0.2)e-6 cm²/s"}
    assert told["hops"]["upper"] == 0.01
    assert "value" not in told["angle"]
    for text in ("(3.0 ± 0.2)e-6", "< 0.01", "No drift was removed.", "found no velocities"):
        assert text in page
    with open(written / "numbers.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["of"] == "900 K"]
    assert [row["name"] for row in rows] == ["diffusivity", "hops", "angle"]
    assert float(rows[0]["value"]) == 3e-6
    assert (rows[1]["value"], rows[1]["upper"], rows[1]["reason"]) == ("", "0.01", "none was seen")


def test_every_panel_has_its_table_and_its_picture(written, report):
    names = {path.stem for path in (written / "csv").iterdir()}
    assert names == {path.stem for path in (written / "figures").iterdir()}
    assert len(names) == sum(map(len, report.panels().values()))
    assert {"density_map", "density_density", "density_hops", "msd_msd_3_all", "msd_msd_3_all_difference"} <= names


def test_the_page_asks_no_network(written):
    page = (written / "report.html").read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[^\s\"'<>]+", page)) == {"http://www.w3.org/2000/svg"}


def test_many_pictures_and_many_remarks_lie_behind_tabs(tmp_path):
    many = tuple(f"Remark {k}." for k in range(MOST_REMARKS + 1))
    one = AnalysisReport("t", "s", [Observed("msd", {"a": description(1, FIRST + 4, many)})])
    page = write_analysis_report(one, tmp_path, []).read_text(encoding="utf-8")
    section = page[page.index('<section id="msd"') :]
    assert re.findall(r'<label for="msd-\d">(\w+)</label>', section) == ["main", "more", "remarks"]
    assert not (tmp_path / "figures").exists()


def test_a_remark_names_the_conditions_that_it_holds_for():
    both = {"a": description(1, remarks=("Same.", "Only a.")), "b": description(1, remarks=("Same.",))}
    assert [row.name for row in remarks_table(both).rows] == ["Same.", "a: Only a."]
    assert remarks_table({"a": description(1, remarks=())}) is None
    assert numbers_table({"a": Description("t", "l")}) is None
    assert [name for name, _ in numbers_table(both).head] == ["number", "a", "b"]


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_is_quiet_and_fits_the_window(written, tmp_path, width):
    page = (written / "report.html").read_text(encoding="utf-8")
    probed = page.replace('id="msd"', 'id="force-size"', 1).replace("<footer>", '<p id="seen">.</p><footer>')
    # what the script has made of the scenes is told in the place that the probe reads
    probed = probed.replace(
        "</body>",
        "<script>addEventListener('load', () => { const n = document.querySelectorAll('.scene canvas').length;"
        " document.getElementById('seen').id = `scenes-${n}`; document.querySelector('.scene').dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'ArrowLeft'})); });</script></body>",
    )
    seen, console = browse(probed, tmp_path, width=width)
    assert {"density", "setup", "config", "environment", "scenes-2"} <= set(seen["sections"])  # a canvas in place of each picture
    assert console == []
    assert seen["fetched"] == []
    assert seen["unnamed"] == 0
    assert seen["content"] <= width
    assert "MSD" in seen["tip"] or "600 K" in seen["tip"]
