"""The report of a molecular dynamics run as one HTML file, and its figures as PNG files."""

from pathlib import Path

from mlff.report.drawing import chart_of, write_sheets
from mlff.report.md_content import MdReport
from mlff.report.md_panels import conductivity_panels, msd_panels, series_panels
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


def write_md_figures(folder: str | Path, content: MdReport, *, dpi: int = 200) -> list[Path]:
    """Writes msd.png, arrhenius.png and time_series.png where the content has them; returns their paths."""
    drawn = {"msd": msd_panels(content), "arrhenius": conductivity_panels(content), "time_series": series_panels(content)}
    return write_sheets(folder, drawn, dpi)


def _sections(content: MdReport) -> list[Section]:
    tables = [table for table in (arrhenius_table(content.arrhenius), shares_table(content.shares)) if table]
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
                [Tab("", [chart_of(panel) for panel in conductivity_panels(content)], tables)],
            ),
            Section(
                "msd",
                "Displacements",
                "Diffusion is a slope of 1 here; vibration a plateau. The first origin alone shows how far chance reaches.",
                [Tab("", [chart_of(panel) for panel in msd_panels(content)])],
            ),
            Section(
                "series",
                "Time series",
                "A conserved quantity that runs away, or a temperature off its target, makes all numbers above worthless.",
                [Tab("", [chart_of(panel) for panel in series_panels(content)])],
            ),
        ]
    )
