"""The page of a molecular dynamics run: complete, alone, honest about what is no number, and inside a narrow window."""

import dataclasses
import html
import re

import numpy as np
import pytest
from matplotlib.image import imread

from mlff.analysis import Estimate, fit_arrhenius
from mlff.report import ArrheniusSeries, MdReport, MotionShares, MsdCurve, Replica, write_md_figures, write_md_report
from mlff.report.md_panels import MOST_POINTS, thin
from mlff.report.md_tables import cell
from tests.report.md_run import md_report
from tests.report.test_page import browse, needs_browser


@pytest.fixture(scope="module")
def run() -> MdReport:
    return md_report()


@pytest.fixture(scope="module")
def page(run, tmp_path_factory):
    return write_md_report(run, tmp_path_factory.mktemp("md") / "new" / "report.html").read_text(encoding="utf-8")


def test_every_replica_has_its_row_and_its_reason(page, run):
    text = html.unescape(page)
    for replica in run.replicas:
        assert cell(replica.diffusivity) in text
    frozen = next(r for r in run.replicas if r.name == "RC 500 K")
    assert not frozen.diffusivity.known
    assert f"No value for RC 500 K: {frozen.diffusivity.reason}." in text
    assert "UC 1200 K: stopped: atom 17 too close to atom 40 at step 1612." in text
    assert run.warnings[0] in text
    assert "Potential report" not in text


def test_the_file_is_small_and_names_no_address(page):
    assert len(page.encode()) < 1e6
    assert set(re.findall(r"https?://[^\s\"'<>]+", page)) == {"http://www.w3.org/2000/svg"}


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_is_complete_and_fits_the_window(page, tmp_path, width):
    seen, console = browse(page.replace('id="msd"', 'id="force-size"', 1), tmp_path, width=width)  # the probe points at that chart
    assert {"verdict", "warnings", "replicas", "conductivity", "series", "setup", "config", "environment"} <= set(seen["sections"])
    assert console == []
    assert seen["fetched"] == []
    assert seen["unnamed"] == 0
    assert seen["content"] <= width
    assert "all origins" in seen["tip"]
    assert "Å²" in seen["tip"]


def test_what_the_motions_are_worth_is_a_table(run, tmp_path):
    motions = ("rotation", "translation", "vibration")
    decrease = {m: Estimate(0.1 * k, 0.01) for k, m in enumerate(motions, 1)}
    shares = MotionShares("Li3PS4", 600.0, decrease, {m: Estimate(None, lower=0.2) for m in motions}, decrease)
    page = write_md_report(dataclasses.replace(run, shares=[shares]), tmp_path / "report.html").read_text()
    row = page[page.index(">Li3PS4<") :]
    assert [text in row[: row.index("</tr>")] for text in ("600", "0.100 ± 0.010", "&gt; 0.2", "0.300 ± 0.010")] == [True] * 4


def test_a_run_without_results_is_a_page_too(tmp_path):
    bare = MdReport("t", "s", [Replica("a", 300.0, "UC", 1.0, status="stopped: <b>NaN</b>")])
    text = write_md_report(bare, tmp_path / "report.html").read_text(encoding="utf-8")
    assert set(re.findall(r'<section id="([a-z-]+)"', text)) == {"replicas", "setup", "config", "environment"}
    assert "&lt;b&gt;NaN" in text
    assert write_md_figures(tmp_path, bare) == []
    with pytest.raises(ValueError, match="found no replica"):
        dataclasses.replace(bare, replicas=[])


def test_figures_are_written_and_not_blank(run, tmp_path):
    paths = write_md_figures(tmp_path / "figures", run, dpi=60)
    assert [path.name for path in paths] == ["msd.png", "arrhenius.png", "time_series.png"]
    for path in paths:
        assert (imread(path)[..., :3] < 0.9).any(axis=-1).mean() > 0.01


def test_a_contradicted_line_is_said_to_be_so(run, tmp_path):
    values = {400.0: Estimate(None, upper=1e-3), 600.0: Estimate(100.0, 5.0), 800.0: Estimate(200.0, 5.0)}
    series = ArrheniusSeries("UC", values, fit_arrhenius(values))
    text = write_md_report(dataclasses.replace(run, arrhenius=[series]), tmp_path / "r.html").read_text(encoding="utf-8")
    assert "UC: the bound at 400 K lies below the line" in text


def test_long_series_become_means():
    t, v = thin(np.arange(10 * MOST_POINTS), np.tile([1.0, 3.0], 5 * MOST_POINTS))
    assert len(t) == MOST_POINTS
    np.testing.assert_array_equal(v, 2.0)


def test_the_curve_is_that_of_the_run_and_its_line(run):
    replica = run.replicas[2]
    at = np.argmin(abs(replica.msd.times - 30.0))
    fitted = replica.msd.slope * replica.msd.times[at] + replica.msd.intercept
    assert fitted == pytest.approx(replica.msd.msd[at], rel=0.05)
    assert replica.msd.slope == pytest.approx(6e4 * replica.diffusivity.value)  # Å²/ps
    assert replica.msd.window == pytest.approx((0.1 * replica.duration, 0.5 * replica.duration))
    with pytest.raises(ValueError, match="found 1 times, 2 MSDs"):
        MsdCurve(*np.zeros((1, 1)), np.zeros(2), np.zeros(1), np.zeros(1), (1.0, 2.0), 1.0, 0.0)
