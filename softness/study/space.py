"""Pictures of trajectories in space, and softness of each structure (papers 004, figures 3A to 3C and 4D)."""

from collections.abc import Sequence

import numpy as np

from mlff.report.panels import Curve, Curves, Description, Number
from softness.correlation import mean_of_groups
from softness.study.findings import Findings
from softness.study.pictures import softness_picture, ways
from softness.study.reading import Sampled

WAYS_AT = 500.0  # K, or the nearest there is


def in_space(test: Sequence[Sampled], found: Sequence[Findings], ligand: str) -> Description:
    """The first trajectory of each structure, with the ways of ions in the one nearest to WAYS_AT."""
    pairs = list(zip(test, found, strict=True))
    by_structure = {each.source.condition.structure: (each, finding) for each, finding in reversed(pairs)}
    panels = [softness_picture(each, finding.softness[0]) for each, finding in reversed(by_structure.values())]
    warm, _ = min(pairs, key=lambda pair: abs((pair[0].temperature or 0.0) - WAYS_AT))
    shown = [each.name for each, _ in reversed(by_structure.values())]
    if (followed := ways(warm, ligand)) is not None:
        panels.append(followed)
    return Description(
        "In space",
        "Where soft ions lie among the anions, and where ions go from there; drag to turn.",
        panels,
        remarks=[f"Shown: {', '.join(shown)}; ways of ions in {warm.name}."],
    )


def by_structure(test: Sequence[Sampled], found: Sequence[Findings]) -> Description | None:
    """Softness of each structure at all temperatures together; None of a single one."""
    softness: dict[str, list[np.ndarray]] = {}
    who: dict[str, list[np.ndarray]] = {}
    for each, finding in zip(test, found, strict=True):
        name, glass = each.source.condition.structure, each.samples.structures
        softness.setdefault(name, []).append(finding.softness.reshape(-1))
        who.setdefault(name, []).append(np.char.add(np.char.add(glass.astype(str), " "), each.samples.particles.astype(str)))
    if len(softness) < 2:
        return None
    pooled = {name: np.concatenate(parts) for name, parts in softness.items()}
    edges = np.linspace(*np.quantile(np.concatenate(list(pooled.values())), (0.001, 0.999)), 41)
    middle = (edges[1:] + edges[:-1]) / 2
    curves = [Curve(name, middle, np.histogram(x, edges, density=True)[0], style="steps") for name, x in pooled.items()]
    return Description(
        "Structures",
        "Softness of all ions of a structure, in all windows at all temperatures.",
        [Curves("Softness by structure", "softness", "density", curves, marks={"plane": 0.0})],
        [Number(f"mean softness, {name}", mean_of_groups(x, np.concatenate(who[name]))) for name, x in pooled.items()],
    )
