"""Findings as sections of the report, in order."""

from collections.abc import Mapping, Sequence

from mlff.report.analysis_page import Observed
from mlff.report.panels import Description
from softness.activation import Activation
from softness.barriers import Band
from softness.study.findings import Findings
from softness.study.fits import Fit
from softness.study.plane_panels import plane_description
from softness.study.rate_panels import activation_description, barrier_description
from softness.study.trajectory_panels import trajectory_description


def observed(
    fit: Fit, found: Sequence[Findings], line: Activation | None, bands: Sequence[Band], whole: Mapping[str, Description]
) -> list[Observed]:
    """whole: descriptions of all trajectories together, by name."""
    sections = [
        Observed("plane", {fit.softness.centre: plane_description(fit)}),
        *(Observed(name, {"": description}) for name, description in whole.items()),
        Observed("trajectories", {each.name: trajectory_description(each) for each in found}),
    ]
    if line is not None:
        sections.append(Observed("activation", {"": activation_description(line)}))
    if bands:
        sections.append(Observed("barriers", {"": barrier_description(bands)}))
    return sections
