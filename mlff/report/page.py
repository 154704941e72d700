"""The report as one HTML file: text, styles, script and charts inside, nothing fetched from anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from mlff.report.card import readable_card
from mlff.report.content import SPLITS, ReportContent
from mlff.report.outline import outline
from mlff.report.plots import (
    Figure,
    energy_parity,
    error_by_force,
    error_distributions,
    force_parity,
    learning_curves,
    mobile_forces,
    stress_parity,
)
from mlff.report.tables import SPLIT_TITLES, Table, condition_tables, element_table, overall_table, reference_table, tiles
from mlff.report.uncertainty_plots import uncertainty_figures
from mlff.report.uncertainty_table import uncertainty_table


@dataclass(frozen=True)
class Tab:
    """One of several views of the same thing; a section with a single tab shows no tab bar."""

    name: str
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True)
class Section:
    id: str
    title: str
    lead: str
    tabs: Sequence[Tab]


def write_report(path: str | Path, content: ReportContent) -> Path:
    """Writes the report to `path` and returns it; folders on the way are made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(content), encoding="utf-8")
    return path


def render(content: ReportContent) -> str:
    """The report's HTML."""
    return render_page(
        "report.html.j2",
        content=content,
        card=readable_card(content.card),
        tiles=tiles(content),
        headline=SPLIT_TITLES[content.headline],
        sections=filled(_sections(content)),
    )


def render_page(template: str, **values: object) -> str:
    """A template of this package with the styles and the script of every page."""
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, loader=FunctionLoader(_asset)
    )
    environment.filters["outline"] = outline
    return environment.get_template(template).render(**values, style=Markup(_asset("style.css")), script=Markup(_asset("script.js")))


def filled(sections: Sequence[Section]) -> list[Section]:
    """The sections and tabs that show something."""
    kept = [Section(s.id, s.title, s.lead, [tab for tab in s.tabs if tab.figures or tab.tables]) for s in sections]
    return [section for section in kept if section.tabs]


def _sections(content: ReportContent) -> list[Section]:
    comparison, committee = reference_table(content), content.uncertainty
    splits = [split for split in reversed(SPLITS) if split in content.metrics]
    sampled = [split for split in reversed(SPLITS) if split in content.samples]
    headline = content.samples[sampled[0]] if sampled else None
    whole = [figure for figure in (energy_parity(content), stress_parity(headline) if headline else None) if figure]
    return [
        Section(
            "accuracy",
            "Accuracy",
            "Energies per atom, every frame alike; forces per Cartesian component, every atom alike; stress over all nine components.",
            [Tab("", tables=[overall_table(content), *([comparison] if comparison else [])])],
        ),
        Section(
            "elements",
            "Elements",
            "Transport follows the forces on the mobile ions; stability follows those on the framework.",
            [Tab("", tables=[element_table(content)])],
        ),
        Section(
            "conditions",
            "Conditions",
            "Forces grow with temperature, and their errors usually with them: relative errors compare one row with another.",
            [Tab(SPLIT_TITLES[split], tables=condition_tables(content.metrics[split])) for split in splits],
        ),
        Section(
            "parity",
            "Parity",
            "Predicted against reference; the dashed line is exact. The energies of all splits are in one chart.",
            [Tab(SPLIT_TITLES[split], (whole if split == sampled[0] else []) + force_parity(content.samples[split])) for split in sampled],
        ),
        Section(
            "force-size",
            "Error vs force",
            "Large forces are rare and decide reactions and hops; an error that grows slower than the force is a good sign.",
            [Tab("", error_by_force(headline) if headline else [])],
        ),
        Section(
            "mobile-ion",
            "Mobile ion",
            "A slope below 1 means a softened energy surface: barriers too low, diffusion too fast.",
            [Tab("", mobile_forces(headline, content.mobile) if headline else [])],
        ),
        Section(
            "distributions",
            "Distributions",
            "Where training and test part, the model has learnt its training set by heart.",
            [Tab("", error_distributions(content))],
        ),
        Section(
            "uncertainty",
            "Uncertainty",
            "An interval is of use if it holds what it promises, and if it is wide where the error is large: both, group by group.",
            [Tab("", uncertainty_figures(committee), [uncertainty_table(committee)])] if committee else [],
        ),
        Section(
            "learning",
            "Learning",
            "Logarithmic errors; a curve still falling at the end asks for a longer training.",
            [Tab(clock, figures) for clock, figures in learning_curves(content.history).items()],
        ),
    ]


def _asset(name: str) -> str:
    return files("mlff.report").joinpath(name).read_text(encoding="utf-8")
