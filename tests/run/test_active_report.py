"""The page of a campaign: its numbers are those of the files, it says what is wrong, and holds no number that is none."""

import csv
import dataclasses
import html
import io
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from ase.io import read
from rich.console import Console

from mlff.active.convergence import Convergence, advice
from mlff.active.errors import ALL
from mlff.active.explored import Condition
from mlff.active.judge import Counts
from mlff.report.active_content import Chosen
from mlff.run.active import calibration
from mlff.run.active.frame_info import frame_infos
from mlff.run.active.pictures import to_look_at
from mlff.run.active.progress import Progress, rounds_table
from mlff.run.active.report import content_of, report_active
from mlff.run.active.rounds import read_records, rounds_of
from mlff.run.active.standing import CONVERGED, NOT_CONVERGED, UNDER_WAY, gamma_alone, standing
from mlff.uncertainty.calibration import fit_calibration
from tests.report.test_page import browse, needs_browser
from tests.run.active_folder import N_FIRST, N_PLANNED, UNSURE, Drawn, configuration, write_campaign

QUIET = ("convergence.n_rounds=1", "oracle=espresso", "oracle.kpoints=[2,2,2]", "oracle.pseudopotentials={}")


@pytest.fixture(scope="module")
def campaign(tmp_path_factory) -> SimpleNamespace:
    """Four rounds that do not converge, with frames in quarantine and an alarm."""
    folder = tmp_path_factory.mktemp("campaigns") / "four"
    rounds = [
        Drawn("short", 0.3),
        Drawn("short", lost={0: UNSURE, 3: "it hung"}),
        Drawn("long", 0.2, alarm="mostly the most uncertain were lost"),
        Drawn("long"),
    ]
    records = write_campaign(folder, rounds)
    cfg = configuration(folder, "convergence.most_rounds=4")
    content = content_of(cfg, folder, records)
    page = report_active(cfg, folder).read_text(encoding="utf-8")
    return SimpleNamespace(folder=folder, cfg=cfg, records=records, content=content, page=page, text=html.unescape(page))


def visible(page: str) -> str:
    """The words of a page, without its script, styles and charts' data."""
    return html.unescape(re.sub(r"<(script|style)>.*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL))


def test_rounds_are_those_of_the_records(campaign):
    for shown, record in zip(campaign.content.rounds, campaign.records, strict=True):
        assert (shown.total.accurate, shown.total.candidate, shown.total.failed) == (
            record.total.accurate,
            record.total.candidate,
            record.total.failed,
        )
        assert shown.errors["chosen"][ALL] == record.before[ALL]["rmse"]
        assert shown.errors["audit"]["Li"] == record.audit["Li"]["rmse"]
        judged = json.loads((campaign.folder / f"rounds/{record.number:03d}/judged.json").read_text())["trajectories"]
        assert shown.uncertainties.planned == 3 * N_PLANNED
        assert shown.uncertainties.not_reached == sum(one["not_reached"] for one in judged)
        assert len(shown.uncertainties.values[300.0]) == len(judged[0]["values"])
    # 3 chosen frames a round, of which round 1 lost one
    assert [r.known for r in campaign.content.rounds] == [N_FIRST, N_FIRST + 3, N_FIRST + 5, N_FIRST + 8]


def test_the_page_shows_the_numbers_of_the_files(campaign):
    last = campaign.records[-1]
    labels = sum(record.labelled for record in campaign.records)
    assert labels == 4 * 6 - 2
    for words in (
        f"{last.total.ratio:.1%}",
        f"{labels} labels by CODE 7 in 2.5 core hours",
        f"went from {1000 * campaign.records[0].audit[ALL]['rmse']:.0f} to {1000 * last.audit[ALL]['rmse']:.0f} meV/Å",
    ):
        assert words in campaign.text
    for record in campaign.records:
        row = re.search(rf'<th scope="row">{record.number}</th>(.*?)</tr>', campaign.page, re.DOTALL)[1]
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row)
        assert cells[2:5] == [
            f"{100 * n / record.total.total:.1f}" for n in (record.total.accurate, record.total.candidate, record.total.failed)
        ]
        assert cells[5:10] == ["3", "3", str(record.labelled), str(len(record.quarantined)), "2"]
        assert f'href="rounds/{record.number:03d}/training/report.html"' in cells[0]


def test_the_page_says_why_it_has_not_converged_and_what_else_is_wrong(campaign):
    assert f"Not converged after 4 of at most 4 rounds: {advice(campaign.records[2:], 0.995)}." in campaign.text
    assert "Stage short ended after 2 rounds without having converged" in campaign.text
    assert "Round 2: mostly the most uncertain were lost." in campaign.text
    assert "GFN1-xTB works at Γ alone" in campaign.text
    assert "all labels here are of 8 atoms" in campaign.text


def test_frames_in_quarantine_are_told_with_their_own_reason(campaign):
    lost = [chosen for chosen in campaign.content.chosen if chosen.quarantine]
    infos = frame_infos(campaign.folder / "rounds/001/selected.extxyz")
    assert [(c.trajectory, c.step, c.quarantine) for c in lost] == [
        (infos[0]["trajectory"], infos[0]["step"], UNSURE),
        (infos[3]["trajectory"], infos[3]["step"], "it hung"),
    ]
    assert " ".join(UNSURE.split()) in campaign.text
    assert {c.system for c in campaign.content.chosen} == {"gamma", "beta RC 1 GPa"}


def test_no_number_is_none(campaign):
    assert re.findall(r"\b(nan|NaN|None|inf)\b", visible(campaign.page)) == []
    assert re.findall(r"NaN|Infinity|nan|null", " ".join(re.findall(r"data-hover='(.*?)'", campaign.page))) == []


def test_programs_read_the_same(campaign):
    with open(campaign.folder / "rounds.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["audit_Li"]) for row in rows] == [record.audit["Li"]["rmse"] for record in campaign.records]
    assert [int(row["failed"]) for row in rows] == [record.total.failed for record in campaign.records]
    with open(campaign.folder / "selected.csv", newline="") as file:
        assert [row["trajectory"] for row in csv.DictReader(file)] == [chosen.trajectory for chosen in campaign.content.chosen]


def test_the_ledger_is_summed(campaign):
    labels = campaign.content.labels
    assert len(labels) == 24
    assert sum(label.status == "labelled" for label in labels) == 22
    seconds = [10.0 + 5 * k for number in range(4) for k in range(6) if (number, k) not in ((1, 0), (1, 3))]
    row = re.search(r'<th scope="row">Li3PS4</th>(.*?)</tr>', campaign.page, re.DOTALL)[1]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", row)
    cost = 4 * sum(20 + 10 * k for k in range(6)) / 3600
    assert cells == ["8", "22", f"{np.median(seconds):.3g}", "35", f"{cost:.3g}", "11", "0", "2"]


def test_pictures_and_figures_are_there(campaign):
    figures = {path.name for path in (campaign.folder / "figures").glob("*.png")}
    assert figures == {"progress.png", "errors.png", "conditions.png", "uncertainty.png"}
    assert len(list((campaign.folder / "figures/structures").glob("*.png"))) == len(campaign.content.pictures) == 4
    assert campaign.page.count("data:image/png;base64,") == 4


def test_what_is_looked_at_is_the_most_uncertain_of_the_last_choice_and_what_is_lost():
    def chosen(round, reason, value, quarantine=""):
        return Chosen(round, "a", 300.0, reason, value, value, f"r{round}", int(100 * value), quarantine)

    early, sure, unsure, audit = chosen(0, "hop", 0.9), chosen(1, "hop", 0.1), chosen(1, "hop", 0.2), chosen(1, "audit", 0.8)
    lost = chosen(0, "audit", 0.3, "it crashed")
    assert to_look_at([early, lost, sure, unsure, audit]) == [unsure, lost]


def test_a_campaign_of_one_round(tmp_path):
    write_campaign(tmp_path, [Drawn("short")])
    text = visible(report_active(configuration(tmp_path), tmp_path, figures=False).read_text(encoding="utf-8"))
    assert "Under way after 1 round" in text
    assert "went from" not in text
    assert re.findall(r"\b(nan|NaN|None|inf)\b", text) == []
    assert not (tmp_path / "figures/progress.png").exists()


def test_a_converged_campaign_warns_of_nothing(tmp_path):
    write_campaign(tmp_path, [Drawn("short", 0.05), Drawn("long", 0.05)])
    page = report_active(configuration(tmp_path, *QUIET), tmp_path, figures=False).read_text(encoding="utf-8")
    assert "Converged after 2 rounds: 100.0% of the frames of the last were accurate" in html.unescape(page)
    assert 'id="warnings"' not in page
    assert 'id="quarantine"' not in page


def test_a_first_stage_that_did_not_converge_is_no_warning_once_a_longer_one_of_the_same_has(tmp_path):
    rounds = [Drawn("short", 0.2), Drawn("short", 0.2), Drawn("long", 0.05)]
    write_campaign(tmp_path / "same", rounds)
    page = report_active(configuration(tmp_path / "same", *QUIET), tmp_path / "same", figures=False).read_text(encoding="utf-8")
    assert 'id="warnings"' not in page
    records = write_campaign(tmp_path / "fewer", rounds)
    counts = dict(list(records[-1].counts.items())[:-1])  # a condition that the last stage has not
    dataclasses.replace(records[-1], counts=counts).write(tmp_path / "fewer/rounds/002/round.json")
    page = report_active(configuration(tmp_path / "fewer", *QUIET), tmp_path / "fewer", figures=False).read_text(encoding="utf-8")
    assert "Stage short ended after 2 rounds without having converged" in html.unescape(page)


def test_a_last_stage_that_has_passed_once_is_under_way(tmp_path):
    write_campaign(tmp_path, [Drawn("long", 0.05)])
    cfg = configuration(tmp_path, "convergence.n_rounds=2")
    text = html.unescape(report_active(cfg, tmp_path, figures=False).read_text(encoding="utf-8"))
    assert "a stage wants 2 such rounds in a row" in text


def test_a_model_that_is_tried_again_knows_what_it_knew(tmp_path):
    first, second = write_campaign(tmp_path, [Drawn("long", 0.05), Drawn("long", 0.05)])
    dataclasses.replace(second, model=first.model, trained=False).write(tmp_path / "rounds/001/round.json")
    rounds = rounds_of(tmp_path, read_records(tmp_path))
    assert [r.known for r in rounds] == [N_FIRST, N_FIRST]
    assert [r.training for r in rounds] == ["rounds/000/training/report.html", ""]


def test_a_last_stage_that_may_not_go_on_has_not_converged():
    counts = {Condition("a", 300.0): Counts(accurate=1, failed=1)}
    records = [SimpleNamespace(stage="long", total=Counts(1, 0, 1), counts=counts)] * 3
    convergence = Convergence(most_rounds=30)
    assert standing(records, [{"name": "long", "most_rounds": 3}], convergence) == NOT_CONVERGED
    assert standing(records, [{"name": "long", "most_rounds": 4}], convergence) == UNDER_WAY
    assert standing(records, [{"name": "long", "most_rounds": 3}, {"name": "next"}], convergence) == UNDER_WAY
    assert standing(records, [{"name": "long"}], Convergence(most_rounds=3)) == NOT_CONVERGED


def test_a_stage_that_was_added_before_the_last_one_is_under_way():
    passed = SimpleNamespace(stage="long", total=Counts(accurate=1))
    assert standing([passed] * 2, [{"name": "long"}], Convergence()) == CONVERGED
    assert standing([passed] * 2, [{"name": "new"}, {"name": "long"}], Convergence()) == UNDER_WAY


@pytest.mark.parametrize(
    ("oracle", "sizes", "words"),
    [
        ({"_target_": "mlff.oracle.GFN1xTB"}, [16, 32], "labels of 16, 32 atoms are mixed here, and contradict each other."),
        ({"_target_": "mlff.oracle.CP2K", "kpoints": [1, 1, 1], "kpoint_spacing": None}, [16], "asked for Γ alone"),
        ({"_target_": "mlff.oracle.CP2K", "kpoints": [1, 1, 1], "kpoint_spacing": 0.04}, [16], None),
        ({"_target_": "mlff.oracle.CP2K", "kpoints": [2, 2, 1], "kpoint_spacing": None}, [16], None),
    ],
)
def test_a_teacher_at_gamma_is_told(oracle, sizes, words):
    found = gamma_alone(oracle, sizes)
    assert found == [] if words is None else words in found[0]


def test_a_folder_without_a_round_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no round that is over"):
        report_active(configuration(tmp_path), tmp_path)


def test_calibration_is_of_frames_that_no_model_learnt(campaign, monkeypatch):
    """A committee whose mean errs by 0.02 eV/Å in one direction, and which says so of all atoms but lithium."""
    rng = np.random.default_rng(0)
    deviation = rng.uniform(0.01, 0.1, 200)
    own = fit_calibration(deviation, deviation[:, None] * rng.normal(size=(200, 3)), np.full(200, "all"))
    seen = []

    class Known:
        artefact = SimpleNamespace(calibration=own)

        def __init__(self, path: Path):
            assert path == campaign.folder / campaign.records[-1].model

        def predictions(self, frames):
            seen.extend(frames)
            deviations = [SimpleNamespace(force=np.full(len(frame), 0.05)) for frame in frames]
            return [(frame.arrays["REF_forces"] + [0.02, 0.0, 0.0], own) for frame, own in zip(frames, deviations, strict=True)]

    assert calibration.calibration_of(campaign.folder, campaign.records, ["Li"]) is None  # there is no model
    card = campaign.folder / campaign.records[-1].model / "card.json"
    card.parent.mkdir(parents=True)
    card.write_text("{}")
    monkeypatch.setattr(calibration, "Surrogate", Known)
    content = calibration.calibration_of(campaign.folder, campaign.records, ["Li"])
    card.unlink()
    assert {frame.info["reason"] for frame in seen} == {"audit"}
    assert len(seen) == campaign.records[-1].data["test"]
    assert set(content.groups) == {"Li", "framework", "all"}
    assert content.groups["Li"].metrics["rmse"] == pytest.approx(0.02 / np.sqrt(3))
    assert content.groups["Li"].metrics["n"] == 3 * len(seen)


def test_infos_are_those_of_the_frames(campaign):
    path = campaign.folder / "rounds/000/labelled.extxyz"
    frames = read(path, index=":")
    assert [info["trajectory"] for info in frame_infos(path)] == [frame.info["trajectory"] for frame in frames]
    empty = campaign.folder / "none.extxyz"
    empty.write_text("")
    assert frame_infos(empty) == []


def test_the_table_of_rounds_keeps_to_its_width(campaign):
    records = [*campaign.records, read_records(campaign.folder)[-1]]
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(rounds_table(records, ["Li", "Na"]))
    lines = console.export_text().splitlines()
    head = next(line for line in lines if "accurate" in line)
    assert head.split() == ["round", "stage", "accurate", "labels", "quarantine", "core", "h", "train", "chosen", "audit", "test"]
    assert sum(bool(re.match(r"\s+\d+\s+(short|long)\s", line)) for line in lines) == 5
    assert "…" not in "".join(lines)


def test_a_page_that_fails_stops_no_campaign(campaign, caplog):
    written = []
    progress = Progress(["Li"], lambda: written.append(1))
    progress.finished(campaign.records[:1])  # over before this start
    progress.begins(1, "short")
    progress.finished(campaign.records[:2])
    assert written == [1]

    def fails():
        raise OSError("the disk is full")

    progress = Progress(["Li"], fails)
    progress.begins(0, "short")
    progress.finished(campaign.records[:1])
    assert "no report was written (OSError: the disk is full); the campaign goes on" in caplog.text


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_is_complete_and_fits_the_window(campaign, tmp_path, width):
    seen, console = browse(campaign.page.replace('id="errors"', 'id="force-size"', 1), tmp_path, width=width)
    assert {"verdict", "warnings", "progress", "conditions", "uncertainty", "selection", "quarantine"} <= set(seen["sections"])
    assert {"ledger", "structures", "setup", "config", "environment"} <= set(seen["sections"])
    assert console == []
    assert [address for address in seen["fetched"] if not address.startswith("data:")] == []
    assert seen["unnamed"] == 0
    assert seen["content"] <= width
