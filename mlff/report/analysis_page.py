"""The report of an analysis: what is shown, the page, the pictures and the tables, all from the same panels."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from mlff.analysis import Estimate
from mlff.report.comparison import together
from mlff.report.drawing import chart_of, write_panel_csv, write_panel_pictures
from mlff.report.drawing.on_paper import file_names
from mlff.report.environment import software_versions
from mlff.report.md_tables import cell
from mlff.report.number_files import words_of, write_csv
from mlff.report.page import Section, Tab, filled, render_page
from mlff.report.panels import Description, Panel
from mlff.report.tables import Row, Table
from mlff.whole_file import written_whole

FIRST = 6  # charts of an observable that are seen at once; where there are many more, the others lie behind a tab
MOST_REMARKS = 5
MOST_CHARTS = 60  # of one observable in the page; the pictures beside it are all there


@dataclass(frozen=True)
class Observed:
    """One observable of all that were analysed. name: in the configuration. descriptions: by what they are of, in order."""

    name: str
    descriptions: Mapping[str, Description]


@dataclass(frozen=True)
class AnalysisReport:
    """One report.

    main: numbers for the tiles at the top. overview: panels across all conditions (Arrhenius), tables: beside them.
    kicker: what kind of report it is. left_out: observable → why it is not there. setup: name → text, number or mapping.
    config_text: the resolved configuration, YAML.
    """

    title: str
    summary: str
    observed: Sequence[Observed]
    main: Sequence[tuple[str, Estimate, str]] = ()
    overview: Sequence[Panel] = ()
    tables: Sequence[Table] = ()
    warnings: Sequence[str] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    setup: Mapping = field(default_factory=dict)
    config_text: str = ""
    environment: Mapping[str, str] = field(default_factory=software_versions)
    kicker: str = "Transport analysis"

    def panels(self) -> dict[str, list[Panel]]:
        """What is drawn, by observable."""
        drawn = {"overview": list(self.overview)} if self.overview else {}
        return drawn | {each.name: together({name: d.panels for name, d in each.descriptions.items()}) for each in self.observed}


def write_analysis_report(content: AnalysisReport, folder: str | Path, pictures: Sequence[str] = ("png", "pdf")) -> Path:
    """Writes report.html, numbers.json, numbers.csv, csv/ and figures/ into the folder; the page's path."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    panels = content.panels()
    for group, members in panels.items():
        for name, panel in zip(file_names(group, members), members, strict=True):
            write_panel_csv(folder / "csv" / f"{name}.csv", panel)
    if pictures:
        with tqdm(total=sum(map(len, panels.values())), unit="picture", desc="pictures", disable=None) as bar:
            for group, members in panels.items():
                write_panel_pictures(folder / "figures", {group: members}, pictures)
                bar.update(len(members))
    _write_numbers(content, folder)
    with written_whole(folder / "report.html") as unfinished:
        unfinished.write_text(
            render_page("analysis_report.html.j2", content=content, tiles=_tiles(content), sections=_sections(content, panels)),
            encoding="utf-8",
        )
    return folder / "report.html"


def numbers_table(descriptions: Mapping[str, Description]) -> Table | None:
    """Numbers down, what they are of across."""
    names = list(dict.fromkeys(number.name for d in descriptions.values() for number in d.numbers))
    found = {of: {number.name: number.estimate for number in d.numbers} for of, d in descriptions.items()}
    rows = []
    for name in names:
        units = {estimates[name].unit for estimates in found.values() if name in estimates}
        unit = units.pop() if len(units) == 1 else ""
        rows.append(Row(name, tuple(cell(estimates[name]) if name in estimates else "–" for estimates in found.values()), unit=unit))
    if not rows:
        return None
    heads = [(of if len(descriptions) > 1 else "value", "") for of in descriptions]
    return Table("Numbers", (("number", ""), *heads), tuple(rows))


def remarks_table(descriptions: Mapping[str, Description]) -> Table | None:
    """What must be known to trust the numbers, and of which conditions it holds."""
    whose: dict[str, list[str]] = {}
    for of, d in descriptions.items():
        for remark in d.remarks:
            whose.setdefault(remark, []).append(of)
    rows = [
        Row(remark if len(of) == len(descriptions) else f"{', '.join(of)}: {remark}", (), kind="remark") for remark, of in whose.items()
    ]
    return Table("Remarks", (("", ""),), tuple(rows)) if rows else None


def _sections(content: AnalysisReport, panels: Mapping[str, Sequence[Panel]]) -> list[Section]:
    lead = "All conditions together. Errors are one standard deviation; where ions hardly moved there is a bound in place of a number."
    sections = [Section("overview", "Overview", lead, [Tab("", [chart_of(panel) for panel in content.overview], content.tables)])]
    for each in content.observed:
        first = next(iter(each.descriptions.values()))
        numbers, remarks = ([table] if table else [] for table in (numbers_table(each.descriptions), remarks_table(each.descriptions)))
        charts = [chart_of(panel) for panel in panels[each.name][:MOST_CHARTS]]
        split = FIRST if len(charts) > FIRST + 3 else len(charts)
        # remarks on many conditions would push the pictures out of sight
        here, aside = (remarks, []) if sum(len(table.rows) for table in remarks) <= MOST_REMARKS else ([], remarks)
        tabs = [Tab("main", charts[:split], [*numbers, *here]), Tab("more", charts[split:]), Tab("remarks", tables=aside)]
        sections.append(Section(each.name, first.title, first.lead, tabs))
    return filled(sections)


def _tiles(content: AnalysisReport) -> list[dict[str, str]]:
    tiles = []
    for name, estimate, of in content.main:
        value, _, rest = cell(estimate).removeprefix("(").partition(" ± ")
        power = rest.partition(")")[2]  # of "(1.2 ± 0.3)e-6"
        aside = cell(estimate) if power else f"± {rest}" if rest else ""
        tiles.append({"name": name, "value": f"{value}{power}", "unit": estimate.unit, "aside": f"{aside} {of}".strip()})
    return tiles


def _write_numbers(content: AnalysisReport, folder: Path) -> None:
    """Every number with error, bounds, unit and reason, for programs."""
    words = {
        "overview": [{"name": name, "of": of} | words_of(estimate) for name, estimate, of in content.main],
        "observables": {
            each.name: {of: [{"name": n.name} | words_of(n.estimate) for n in d.numbers] for of, d in each.descriptions.items()}
            for each in content.observed
        },
        "left_out": dict(content.left_out),
    }
    with written_whole(folder / "numbers.json") as unfinished:
        unfinished.write_text(json.dumps(words, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    write_csv(folder / "numbers.csv", _number_rows(content))


def _number_rows(content: AnalysisReport) -> Iterator[tuple]:
    yield "observable", "of", "name", "value", "error", "lower", "upper", "unit", "reason"
    for each in content.observed:
        for of, description in each.descriptions.items():
            for number in description.numbers:
                e = number.estimate
                yield each.name, of, number.name, e.value, e.error, e.lower, e.upper, e.unit, e.reason
