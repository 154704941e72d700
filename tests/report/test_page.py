"""The page in a real browser: complete, quiet, alone, and inside a narrow window."""

import dataclasses
import html
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from mlff.report import PredictionSamples, ReportContent, write_report
from mlff.train.metrics import compute_metrics

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=3000",
    "--enable-logging=stderr",
    "--v=0",
]
SECTIONS = [
    "verdict",
    "warnings",
    "accuracy",
    "elements",
    "conditions",
    "parity",
    "force-size",
    "mobile-ion",
    "distributions",
    "uncertainty",
    "learning",
    "data",
    "card",
    "config",
    "environment",
]
PROBE = """<script>
addEventListener("load", () => {
  const chart = document.querySelector("#force-size svg"), box = chart.getBoundingClientRect();
  const at = {clientX: box.left + 0.5 * box.width, clientY: box.top + 0.5 * box.height, bubbles: true};
  chart.dispatchEvent(new PointerEvent("pointermove", at));
  const ragged = [];  // sections whose last row of figures leaves a place empty
  const measure = () => document.querySelectorAll(".figures").forEach((e) => {
    const right = e.getBoundingClientRect().right, last = e.lastElementChild.getBoundingClientRect().right;
    if (last < right - 2) ragged.push(`${e.children.length} in ${e.closest("section").id}`);
  });
  document.querySelectorAll(".tabs > input").forEach((e) => { e.checked = true; measure(); });
  const visible = (e) => e.getClientRects().length > 0;
  parent.postMessage({
    width: innerWidth,
    content: document.documentElement.scrollWidth,
    fetched: performance.getEntriesByType("resource").map((e) => e.name),
    sections: [...document.querySelectorAll("[id]")].filter(visible).map((e) => e.id),
    ragged: ragged,
    counts: [...document.querySelectorAll(".figures")].map((e) => e.children.length),
    tip: document.getElementById("tip").textContent,
    unnamed: [...document.querySelectorAll("svg")].filter((e) => !e.getAttribute("aria-label")).length,
    tables: [...document.querySelectorAll("table")].map((e) =>
      Math.min(e.querySelectorAll("thead th[scope]").length, e.querySelectorAll("tbody th[scope]").length)),
    dark: getComputedStyle(document.body).backgroundColor,
  }, "*");
});
</script></body>"""

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed: the report cannot be opened in a browser")


def browse(page, folder, *, width=1200, flags=()):
    """What PROBE saw, and the console's lines, of a page in a frame `width` pixels wide (a window cannot be narrower than 500)."""
    (folder / "probed.html").write_text(page.replace("</body>", PROBE), encoding="utf-8")
    (folder / "window.html").write_text(
        f'<!DOCTYPE html><body><iframe src="probed.html" style="width:{width}px;height:900px;border:0"></iframe>'
        '<script>addEventListener("message", (e) => { document.title = JSON.stringify(e.data); })</script></body>'
    )
    command = [CHROMIUM, *FLAGS, *flags, f"--user-data-dir={folder / 'profile'}", "--window-size=1400,1000", "--dump-dom"]
    done = subprocess.run([*command, (folder / "window.html").as_uri()], capture_output=True, text=True, timeout=55)
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title, f"the browser gave no answer: {done.stderr[-800:]}"
    return json.loads(html.unescape(title[1])), [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.fixture(scope="module")
def page(content, tmp_path_factory):
    return write_report(tmp_path_factory.mktemp("report") / "new" / "report.html", content).read_text(encoding="utf-8")


@pytest.mark.slow
@needs_browser
def test_the_page_is_complete_quiet_and_alone(page, tmp_path):
    seen, console = browse(page, tmp_path)
    assert set(SECTIONS) <= set(seen["sections"])
    assert console == []
    assert seen["fetched"] == []
    assert seen["unnamed"] == 0
    assert min(seen["tables"]) > 0  # every table has headed columns and headed rows
    assert "size of the reference force" in seen["tip"]
    assert re.search(r"Li [\d.]+ meV/Å", seen["tip"])
    assert {3, 4, 5, 6} <= set(seen["counts"])
    assert seen["ragged"] == []


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("width", [400, 800])
def test_nothing_overflows_a_narrow_window(page, tmp_path, width):
    seen, _ = browse(page, tmp_path, width=width)
    assert seen["width"] == width
    assert seen["content"] <= width


@pytest.mark.slow
@needs_browser
def test_the_page_follows_the_colour_scheme(page, tmp_path):
    def brightness(name, *flags):
        (tmp_path / name).mkdir()
        return np.mean([int(v) for v in re.findall(r"\d+", browse(page, tmp_path / name, flags=flags)[0]["dark"])])

    assert brightness("light") > 230
    assert brightness("dark", "--blink-settings=preferredColorScheme=0") < 40


@pytest.mark.slow
@needs_browser
def test_the_browser_sees_what_is_wrong(page, tmp_path):
    """The checks above can fail: a page that is too wide, fetches a picture and throws an error is seen to do so."""
    broken = page.replace(
        "<main>", '<main><div style="width:900px">wide</div><img src="http://127.0.0.1:9/x.png"><script>missing()</script>'
    )
    broken = broken.replace("span 3;", "span 2;")
    broken = re.sub(r"<meta http-equiv[^>]*>", "", broken)  # the page's own policy would stop the picture
    (tmp_path / "wide").mkdir()
    assert "5 in learning" in browse(broken, tmp_path / "wide")[0]["ragged"]
    seen, console = browse(broken, tmp_path, width=400)
    assert seen["content"] > 400
    assert any("x.png" in name for name in seen["fetched"])
    assert any("missing is not defined" in line for line in console)


def test_the_file_is_small_and_names_no_address(page):
    assert len(page.encode()) < 1e6
    assert set(re.findall(r"https?://[^\s\"'<>]+", page)) == {"http://www.w3.org/2000/svg"}  # a name space, never fetched


def test_the_numbers_and_warnings_are_on_the_page(page, content):
    text = html.unescape(page)
    assert content.summary in text
    assert all(warning in text for warning in content.warnings)
    assert f"{content.metrics['test']['per_element']['Li']['force_rmse']:.1f}" in text
    assert "Batzner et al. 2022" in text
    assert "r_max: 5.0  # Å" in text


def test_text_is_escaped(content, tmp_path):
    page = write_report(tmp_path / "report.html", dataclasses.replace(content, title="<script>alert(1)</script>")).read_text(
        encoding="utf-8"
    )
    assert "alert(1)" in page
    assert "<script>alert(1)" not in page


def test_sections_without_content_are_left_out(content, tmp_path):
    """Forces alone, of one split, without history, references, mobile ions or notes."""
    full = content.samples["test"]
    samples = PredictionSamples(*np.zeros((2, 0)), full.forces_ref, full.forces_pred, full.elements, *np.zeros((2, 0, 3, 3)))
    bare = ReportContent(title="t", summary="s", warnings=[], metrics={"test": compute_metrics([], [], [])}, samples={"test": samples})
    page = write_report(tmp_path / "report.html", bare).read_text(encoding="utf-8")
    found = set(re.findall(r'<section id="([a-z-]+)"', page))
    assert {"parity", "force-size", "distributions", "data", "environment"} <= found
    assert not {"learning", "mobile-ion", "conditions", "uncertainty"} & found
    assert 'id="warnings"' not in page
