"""Several trajectories side by side: their curves in one plane, their maps next to each other, and the difference of two."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from mlff.report.panels import Curve, Curves, Panel

MOST_CURVES = 8  # in one plane; as many as there are colours


def together(panels: Mapping[str, Sequence[Panel]]) -> list[Panel]:
    """The panels of one observable of several trajectories, by the trajectory's name, in the order of the first that has each title.

    Curves of one title share a plane where they are few; where each trajectory brings several, each curve has a plane of its own.
    Of two trajectories, the difference of each pair of curves follows. A title that one trajectory alone has stays as it is.
    """
    titles = dict.fromkeys(panel.title for members in panels.values() for panel in members)
    found: list[Panel] = []
    for title in titles:
        of_title = {name: panel for name, members in panels.items() for panel in members if panel.title == title}
        if len(panels) == 1:
            found += of_title.values()
        elif all(isinstance(panel, Curves) for panel in of_title.values()):
            found += _overlaid(of_title)
        else:
            found += [replace(panel, title=f"{title}, {name}") for name, panel in of_title.items()]
    return found


def _overlaid(panels: Mapping[str, Curves]) -> list[Curves]:
    first = next(iter(panels.values()))
    names = list(dict.fromkeys(curve.name for panel in panels.values() for curve in panel.curves))
    found = []
    for name in names:
        curves = [replace(curve, name=label) for label, panel in panels.items() for curve in panel.curves if curve.name == name]
        title = first.title if name in first.title.split(", ") else f"{first.title}, {name}"
        windows = [] if len({window for panel in panels.values() for window in panel.windows}) > 1 else first.windows
        for k in range(0, len(curves), MOST_CURVES):
            found.append(replace(first, title=title, curves=curves[k : k + MOST_CURVES], windows=windows))
        if len(panels) == 2 and len(curves) == 2 and curves[0].style != "points":
            found.append(_difference(replace(first, title=title, windows=windows), *curves))
    return found


def _difference(panel: Curves, one: Curve, two: Curve) -> Curves:
    """two − one where both are known; errors add as squares."""
    inside = (one.x >= two.x.min()) & (one.x <= two.x.max())
    x = np.asarray(one.x)[inside]
    y = np.interp(x, two.x, two.y) - np.asarray(one.y)[inside]
    error = None
    if one.error is not None and two.error is not None:
        error = np.hypot(np.asarray(one.error)[inside], np.interp(x, two.x, two.error))
    return replace(
        panel,
        title=f"{panel.title}, difference",
        curves=[Curve(f"{two.name} − {one.name}", x, y, error)],
        log_y=False,
        zero=False,
        levels={"": 0.0},
    )
