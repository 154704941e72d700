"""The report of an active-learning campaign as one HTML file."""

from pathlib import Path

from mlff.report.active_content import ActiveReport
from mlff.report.active_plots import (
    MOST_ROUNDS,
    error_figures,
    picture_figure,
    progress_figures,
    uncertainty_histograms,
)
from mlff.report.active_tables import active_tiles, chosen_tables, conditions_table, ledger_tables, quarantine_tables, rounds_table
from mlff.report.page import Section, Tab, filled, render_page
from mlff.report.uncertainty_plots import uncertainty_figures
from mlff.report.uncertainty_table import uncertainty_table
from mlff.whole_file import written_whole


def write_active_report(content: ActiveReport, path: str | Path) -> Path:
    """Writes the report to `path` and returns it, whole or not at all, so that it may be open while it is replaced; folders are made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    page = render_page("active_report.html.j2", content=content, tiles=active_tiles(content), sections=_sections(content))
    with written_whole(path) as file:
        file.write_text(page, encoding="utf-8")
    return path


def _sections(content: ActiveReport) -> list[Section]:
    committee, n = content.calibration, len(content.rounds)
    some = f" Of {n} rounds {MOST_ROUNDS} are shown." if n > MOST_ROUNDS else ""
    return filled(
        [
            Section(
                "progress",
                "Progress",
                "Every round explores with seeds that no other round had: what is accurate there is known, not remembered.",
                [Tab("", progress_figures(content))],
            ),
            Section(
                "rounds",
                "Rounds",
                "What each of them did; its training has a page of its own. An interrupted one counts time from its last start.",
                [Tab("", tables=[rounds_table(content)])],
            ),
            Section(
                "errors",
                "Errors",
                "True force errors of the model of each round: on the frames that it chose, before it learnt them; on the audit, which is "
                "drawn at random from all that it explored; and on all test frames so far. Only chosen frames are learnt.",
                [Tab("", error_figures(content))],
            ),
            Section(
                "conditions",
                "Conditions",
                "Where the model is at home, and where it is not; a dash where a round did not explore.",
                [Tab("", tables=[conditions_table(content)])],
            ),
            Section(
                "uncertainty",
                "Uncertainty",
                "Left of both levels a frame is accurate, between them a candidate, right of them failed; its trajectory ends there. "
                "Shares are of all frames that were planned; the outermost bins hold what lies beyond them too." + some,
                [Tab("", uncertainty_histograms(content))],
            ),
            Section(
                "calibration",
                "Calibration",
                "Whether the last model errs by as much as it expects, on test and audit frames, which no model learnt.",
                [Tab("", uncertainty_figures(committee), [uncertainty_table(committee)])] if committee else [],
            ),
            Section(
                "selection",
                "Selection",
                "What was sent to the reference code, and why; all of it is in selected.csv. The audit measures; all others teach.",
                [Tab("", tables=chosen_tables(content))],
            ),
            Section(
                "quarantine",
                "Quarantine",
                "Frames that the reference code could not label; all reasons are in selected.csv. The campaign goes on without them.",
                [Tab("", tables=quarantine_tables(content))],
            ),
            Section(
                "ledger",
                "Ledger",
                "Every label, whatever came of it, those of the first frames too; frames that were given with a label are not in it.",
                [Tab("", tables=ledger_tables(content))],
            ),
            Section(
                "structures",
                "Structures",
                "Of each system the frame that its last choice was least sure of, and what is in quarantine: far atoms are paler.",
                [Tab("", [picture_figure(picture) for picture in content.pictures])],
            ),
        ]
    )
