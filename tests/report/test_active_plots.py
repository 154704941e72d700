"""The charts and tables of a campaign: shares, histograms and errors are those of the content, whatever it holds."""

import html

import numpy as np
import pytest

from mlff.report import ActiveReport, UncertaintyContent, write_active_figures, write_active_report
from mlff.report.active_content import Chosen, LabelCost, Picture, Round, Shares, Uncertainties
from mlff.report.active_plots import (
    FARTHEST,
    MOST_ROUNDS,
    class_shares,
    error_series,
    histogram,
    shown_rounds,
    stage_starts,
    uncertainty_histograms,
    value_extent,
)
from mlff.report.active_tables import MOST_LOST, conditions_table, ledger_tables, quarantine_tables, rounds_table

LEVELS = (0.1, 0.3)


def a_round(number: int, **changes) -> Round:
    plain = {
        "number": number,
        "stage": "short",
        "shares": [Shares("a", 300.0, 6, 3, 1), Shares("b", 600.0, 0, 0, 0)],
        "uncertainties": Uncertainties({300.0: np.geomspace(0.05, 0.35, 10)}, LEVELS, "eV/Å", not_reached=10),
        "chosen": {"candidate": 4},
        "n_audit": 2,
        "labelled": 5,
        "quarantined": 1,
        "refused": 0,
        "known": 10 + 4 * number,
        "errors": {"chosen": {"all": 0.09, "Li": 0.05}, "audit": {"all": 0.06}},
        "data": {"train": 12, "val": 2, "test": 3},
        "core_hours": 0.5,
    }
    return Round(**plain | changes)


def report(*rounds: Round, **changes) -> ActiveReport:
    return ActiveReport(**{"title": "t", "summary": "s", "rounds": rounds, "wanted": 0.995} | changes)


def test_shares_are_of_all_frames_of_a_round():
    shares = class_shares([a_round(0), a_round(1, shares=[Shares("a", 300.0, 0, 0, 0)])])
    assert {name: values.tolist() for name, values in shares.items()} == {"accurate": [60, 0], "candidate": [30, 0], "failed": [10, 0]}


def test_stages_begin_where_their_name_changes():
    rounds = [a_round(k, stage=stage) for k, stage in enumerate(["a", "a", "b", "c"])]
    assert stage_starts(rounds) == [(2, "b"), (3, "c")]


def test_a_histogram_holds_every_finite_value_and_tells_of_the_others():
    judged = Uncertainties({300.0: np.array([0.01, 0.2]), 600.0: np.array([5e4])}, LEVELS, "eV/Å", not_reached=6, not_finite=1)
    extent = value_extent([judged])
    assert extent[1] < 2 * FARTHEST * LEVELS[1]
    edges, heights = histogram(judged, extent)
    assert {name: pytest.approx(height.sum()) for name, height in heights.items()} == {"300 K": 20.0, "600 K": 10.0}
    assert heights["600 K"][-1] == pytest.approx(10.0)
    assert (edges[0], edges[-1]) == pytest.approx(extent)
    (figure,) = uncertainty_histograms(report(a_round(0, uncertainties=judged)))
    assert figure.caption == "10 frames planned, 6 not reached (60%), 1 without a finite number."


def test_many_temperatures_are_one_curve():
    judged = Uncertainties({100.0 * k: np.full(2, 0.2) for k in range(1, 9)}, LEVELS, "")
    _, heights = histogram(judged, value_extent([judged]))
    assert {name: pytest.approx(height.sum()) for name, height in heights.items()} == {"all": 100.0}


def test_of_many_rounds_the_first_and_the_last_are_among_those_shown():
    assert shown_rounds(3) == [0, 1, 2]
    shown = shown_rounds(100)
    assert (len(shown), shown[0], shown[-1]) == (MOST_ROUNDS, 0, 99)


def test_errors_are_drawn_against_what_the_model_knew():
    series = error_series(report(a_round(0), a_round(1, errors={"chosen": {}, "audit": {"all": 0.04}})), "all")
    assert {kind: (x.tolist(), y.tolist()) for kind, (x, y) in series.items()} == {
        "chosen": ([10], [90]),
        "audit": ([10, 14], [60, 40]),
    }


def test_the_heat_map_has_a_dash_where_nothing_was_explored():
    table = conditions_table(report(a_round(0), a_round(1, shares=[Shares("a", 300.0, 10, 0, 0)])))
    assert [(row.name, row.cells) for row in table.rows] == [("a, 300 K", ("100.0%", "60.0%")), ("b, 600 K", ("–", "–"))]


def test_a_model_that_was_tried_again_has_no_training():
    table = rounds_table(report(a_round(0, training="r/0.html"), a_round(1, trained=False)))
    assert [row.cells[0] for row in table.rows[:2]] == ['<a href="r/0.html">new</a>', "as before"]


def test_the_ledger_is_told_by_composition_and_as_a_whole():
    labels = [
        LabelCost("labelled", "A2", 2, 1.0, 0.1, 1, 1, "c"),
        LabelCost("labelled", "A2", 2, 3.0, 0.1, 0, 2, "c"),
        LabelCost("hung", "B", 4, 90.0, 0.3, 0, 1, "c"),
    ]
    table, lost = ledger_tables(report(a_round(0), labels=labels))
    assert [(row.name, row.cells) for row in table.rows[:3]] == [
        ("A2", ("2", "2", "2", "3", "0.2", "1", "1", "0")),
        ("B", ("4", "0", "–", "–", "0.3", "0", "0", "1")),
        ("all", ("2…4", "2", "2", "3", "0.5", "1", "1", "1")),
    ]
    assert [(row.name, row.cells) for row in lost.rows] == [("hung", ("1",))]


def test_a_long_quarantine_is_cut_and_says_so():
    chosen = [Chosen(0, "a", 300.0, "candidate", 0.2, 0.2, "r", k, "no\nend " * 200) for k in range(MOST_LOST + 3)]
    (table,) = quarantine_tables(report(a_round(0), chosen=chosen))
    assert len(table.rows) == 2 * MOST_LOST + 1
    assert "And 3 more" in table.rows[-1].name
    assert max(len(row.name) for row in table.rows) < 500


def test_the_page_shows_calibration_and_pictures_and_is_escaped(tmp_path, rng):
    sigma = rng.uniform(0.02, 0.1, 300)
    groups = np.where(np.arange(300) < 100, "Li", "framework")
    committee = UncertaintyContent.from_arrays(sigma, sigma, sigma[:, None] * rng.normal(size=(300, 3)), groups, note="tried on 9 frames")
    content = report(
        a_round(0, stage="<b>"),
        calibration=committee,
        pictures=[Picture('a "b"', "c", b"png")],
        warnings=["<i>careful</i>"],
        mobile=["Li"],
    )
    page = write_active_report(content, tmp_path / "new" / "report.html").read_text(encoding="utf-8")
    for words in ("Reliability", "Coverage", "tried on 9 frames", "data:image/png;base64,cG5n"):
        assert words in page
    for words in ("<i>careful</i>", "<b>"):
        assert words in html.unescape(page)
        assert words not in page
    names = [path.name for path in write_active_figures(tmp_path / "figures", content, dpi=40)]
    assert names == ["progress.png", "errors.png", "conditions.png", "uncertainty.png", "calibration.png"]


def test_a_report_wants_a_round():
    with pytest.raises(ValueError, match="found no round"):
        report()
