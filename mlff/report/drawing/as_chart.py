"""A panel as a chart of the page."""

from base64 import b64encode
from functools import singledispatch

import numpy as np
from markupsafe import Markup

from mlff.report.axis import Axis
from mlff.report.chart import Chart
from mlff.report.drawing.colours import colours_of, colours_of_names
from mlff.report.drawing.on_paper import png_of_panel
from mlff.report.drawing.scene import network_scene, particles_scene, volume_scene
from mlff.report.panels import Curve, Curves, HeatMap, Network, Particles, Volume
from mlff.report.plots import N_COLOURS, Figure

MOST_POINTS = 400  # of one curve
LOOSE = ("points", "bounds")  # that no line joins: what is told is the nearest of them
WIDE = {"width": 380, "height": 310}


@singledispatch
def chart_of(panel: object) -> Figure:
    """The panel with a title, a legend and a caption.

    Raises:
        TypeError: it is no panel.
    """
    raise TypeError(f"found a {type(panel).__name__}, expected a panel")


@chart_of.register
def _(panel: Curves) -> Figure:
    curves = [kept for curve in panel.curves if (kept := _shown(curve, panel)) is not None]
    ends = [end for window in panel.windows for end in window]
    chart = Chart(
        Axis.around(panel.x, *(c.x for c in curves), np.array([*panel.marks.values(), *ends]), log=panel.log_x),
        Axis.around(panel.y, *_extents(curves), np.array([*panel.levels.values()]), log=panel.log_y, zero=panel.zero),
        f"{panel.title}: {panel.y} against {panel.x}",
        hover="values" if any(curve.style in LOOSE for curve in curves) else "lines",
    )
    for window in panel.windows:
        chart.window(*window)
    colours = colours_of(curves, N_COLOURS)
    for curve in curves:
        colour = colours[curve.name]
        if curve.error is not None and curve.style == "points":
            chart.errors(curve.x, curve.y - curve.error, curve.y + curve.error, colour)
        elif curve.error is not None:
            low = np.maximum(curve.y - curve.error, chart.y.low) if panel.log_y else curve.y - curve.error
            chart.band(curve.x, low, curve.y + curve.error, colour)
        if curve.style == "bounds":
            chart.upper_limits(curve.x, curve.y, colour, f"{curve.name}, upper bound")
        elif curve.style == "points":
            chart.marks(curve.x, curve.y, colour, curve.name)
        else:
            chart.line(*_stepped(curve), colour, curve.name, dashed=curve.style == "dashed")
    for words, y in panel.levels.items():
        chart.rule(y=y, text=words)
    for words, x in panel.marks.items():
        chart.rule(x=x, text=words)
    legend = tuple((colour, name) for name, colour in colours.items()) if len(colours) > 1 else ()
    return Figure(panel.title, chart.svg(), panel.caption, legend)


@chart_of.register
def _(panel: HeatMap) -> Figure:
    chart = Chart(
        Axis(panel.x, float(panel.x_edges[0]), float(panel.x_edges[-1]), log=panel.log_x),
        Axis(panel.y, float(panel.y_edges[0]), float(panel.y_edges[-1])),
        f"{panel.title}: {panel.value} by {panel.x} and {panel.y}",
        hover="map",
        **WIDE,
    )
    chart.image(panel.values, panel.value, panel.log)
    known = panel.values[np.isfinite(panel.values)]
    scale = f"Dark: {known.min():.3g}; bright: {known.max():.3g} {panel.value}{', logarithmic' if panel.log else ''}." if known.size else ""
    return Figure(panel.title, chart.svg(), f"{panel.caption} {scale}".strip())


@chart_of.register
def _(panel: Volume) -> Figure:
    return _turning(panel, volume_scene(panel))


@chart_of.register
def _(panel: Network) -> Figure:
    return _turning(panel, network_scene(panel))


@chart_of.register
def _(panel: Particles) -> Figure:
    colours = colours_of_names(panel.kinds, N_COLOURS)
    return _turning(panel, particles_scene(panel), tuple((colour, name) for name, colour in colours.items()))


def _turning(panel: Volume | Network | Particles, scene: str, legend: tuple[tuple[int, str], ...] = ()) -> Figure:
    """A picture, over which the script draws what can be turned."""
    image = f"data:image/png;base64,{b64encode(png_of_panel(panel)).decode()}"
    body = Markup('<div class="picture scene" tabindex="0" data-scene="{}"><img alt="{}" src="{}"></div>').format(scene, panel.title, image)
    return Figure(panel.title, body, panel.caption, legend)


def _shown(curve: Curve, panel: Curves) -> Curve | None:
    """The part that the axes can show, thinned; None without any."""
    x, y = np.asarray(curve.x, float), np.asarray(curve.y, float)
    where = np.flatnonzero(panel.visible(curve))
    if not len(where):
        return None
    if len(where) > MOST_POINTS and curve.style not in LOOSE:
        where = where[np.unique(np.linspace(0, len(where) - 1, MOST_POINTS).astype(int))]
    error = None if curve.error is None else np.where(np.isfinite(curve.error), curve.error, 0.0)[where]
    return Curve(curve.name, x[where], y[where], error, curve.style)


def _extents(curves: list[Curve]) -> list[np.ndarray]:
    """What the y axis must hold; bands only as far as a few times the curves' own range."""
    if not curves:
        return []
    y = np.concatenate([c.y for c in curves])
    room = np.ptp(y) if len(y) > 1 and np.ptp(y) > 0 else abs(y).max()
    low, high = y.min() - 0.5 * room, y.max() + 0.5 * room
    ends = [np.clip(np.concatenate([c.y - c.error, c.y + c.error]), low, high) for c in curves if c.error is not None]
    return [y, *ends]


def _stepped(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    """A line, or the outline of bins around x."""
    if curve.style != "steps" or len(curve.x) < 2:
        return curve.x, curve.y
    middles = (curve.x[1:] + curve.x[:-1]) / 2
    edges = np.concatenate([[2 * curve.x[0] - middles[0]], middles, [2 * curve.x[-1] - middles[-1]]])
    return np.repeat(edges, 2)[1:-1], np.repeat(curve.y, 2)
