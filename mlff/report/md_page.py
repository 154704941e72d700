"""The report of a molecular dynamics run as one HTML file, and its figures as PNG files."""

from pathlib import Path

from mlff.report.md_content import MdReport
from mlff.report.md_plots import arrhenius_figure, msd_figures, series_figures
from mlff.report.md_tables import arrhenius_table, md_tiles, replica_table, shares_table
from mlff.report.page import Section, Tab, filled, render_page


def write_md_report(content: MdReport, path: str | Path) -> Path:
    """Writes the report to `path` and returns it; folders on the way are made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        render_page("md_report.html.j2", content=content, tiles=md_tiles(content), sections=_sections(content)), encoding="utf-8"
    )
    return path


def _sections(content: MdReport) -> list[Section]:
    figure, found = arrhenius_figure(content), (arrhenius_table(content.arrhenius), shares_table(content.shares))
    tables = [table for table in found if table]
    return filled(
        [
            Section(
                "replicas",
                "Replicas",
                "A number where the ions diffuse, a bound where too little happened; a dash where the data say nothing.",
                [Tab("", tables=[replica_table(content)])],
            ),
            Section(
                "conductivity",
                "Conductivity",
                "Of independent ions (Nernst and Einstein) at each temperature, with the line of Arrhenius' law; where anions were held, "
                "by how many decades that lowers it, motion after motion.",
                [Tab("", [figure] if figure else [], tables)],
            ),
            Section(
                "msd",
                "Displacements",
                "Diffusion is a slope of 1 here; vibration a plateau. The first origin alone shows how far chance reaches.",
                [Tab("", msd_figures(content))],
            ),
            Section(
                "series",
                "Time series",
                "A conserved quantity that runs away, or a temperature off its target, makes all numbers above worthless.",
                [Tab("", series_figures(content))],
            ),
        ]
    )
