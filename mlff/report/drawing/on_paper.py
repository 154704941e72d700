"""A panel as a figure for a paper: PNG and PDF."""

import io
import re
from collections.abc import Mapping, Sequence
from functools import partial, singledispatch
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure as Paper

from mlff.report.colour_scale import SCALE, TWO_SIDED, norm_about, norm_of
from mlff.report.drawing.colours import colours_of, colours_of_names
from mlff.report.figures import draw_pictures
from mlff.report.look import COLOURS, GUIDE, LOOK, PANEL, round_ticks
from mlff.report.panels import Curve, Curves, HeatMap, Network, Panel, Particles, Volume

VIEWS = {"along a": (1, 2, 0), "along b": (2, 0, 1), "along c": (0, 1, 2)}  # to the right, upwards, towards the eye


def write_panel_pictures(folder: str | Path, panels: Mapping[str, Sequence[Panel]], formats: Sequence[str] = ("png", "pdf")) -> list[Path]:
    """A file of each panel, named by its group and title, in each format; their paths."""
    folder, paths = Path(folder), []
    folder.mkdir(parents=True, exist_ok=True)
    for group, members in panels.items():
        for name, panel in zip(file_names(group, members), members, strict=True):
            paper = _paper(panel)
            for kind in formats:
                paths.append(folder / f"{name}.{kind}")
                with rc_context(LOOK):
                    paper.savefig(paths[-1], dpi=200)
    return paths


def write_sheets(folder: str | Path, sheets: Mapping[str, Sequence[Curves]], dpi: int = 200) -> list[Path]:
    """A PNG file of each name that has panels, three panels in a row; their paths. The folder is made."""
    return draw_pictures(folder, {name: [partial(draw_curves, panel) for panel in panels] for name, panels in sheets.items()}, dpi)


def file_names(group: str, panels: Sequence[Panel]) -> list[str]:
    """`group_title` in lower-case ASCII words, with a number behind those that would be the same."""
    names: list[str] = []
    for panel in panels:
        words = re.sub(r"[^a-z0-9]+", "_", f"{group} {panel.title}".lower()).strip("_")
        same = sum(name == words or re.fullmatch(f"{re.escape(words)}_\\d+", name) is not None for name in names)
        names.append(f"{words}_{same + 1}" if same else words)
    return names


def png_of_panel(panel: Panel) -> bytes:
    file = io.BytesIO()
    with rc_context(LOOK):
        _paper(panel).savefig(file, format="png", dpi=110)
    return file.getvalue()


def _paper(panel: Panel) -> Paper:
    with rc_context(LOOK):
        wide = isinstance(panel, (Volume, Network, Particles))
        paper = Paper(figsize=(3 * PANEL, 1.15 * PANEL) if wide else (1.4 * PANEL, PANEL), layout="constrained")
        FigureCanvasAgg(paper)  # no pyplot: no window, no global state
        draw(panel, paper)
    return paper


@singledispatch
def draw(panel: object, paper: Paper) -> None:
    raise TypeError(f"found a {type(panel).__name__}, expected a panel")


@draw.register
def _(panel: Curves, paper: Paper) -> None:
    draw_curves(panel, paper.subplots())


def draw_curves(panel: Curves, axes: Axes) -> None:
    """Onto axes that may be some of many."""
    for window in panel.windows:
        axes.axvspan(*window, color=GUIDE["color"], alpha=0.12, linewidth=0)
    colours = colours_of(panel.curves, len(COLOURS))
    drawn = [curve for curve in panel.curves if _curve(axes, curve, COLOURS[colours[curve.name]], panel)]
    for words, y in panel.levels.items():
        axes.axhline(y, **GUIDE)
        axes.annotate(words, (1, y), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=7)
    for words, x in panel.marks.items():
        axes.axvline(x, **GUIDE)
        axes.annotate(words, (x, 1), xycoords=("data", "axes fraction"), ha="left", va="top", fontsize=7, rotation=90)
    axes.set(xlabel=panel.x, ylabel=panel.y, title=panel.title)
    for log, axis, name in ((panel.log_x, axes.xaxis, "xscale"), (panel.log_y, axes.yaxis, "yscale")):
        if log and drawn:
            axes.set(**{name: "log"})
            round_ticks(axis)
    if panel.zero:
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]) if min((c.y.min() for c in drawn), default=0) < 0 else 0.0)
    if len({curve.name for curve in drawn}) > 1:
        shown = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        axes.legend(shown.values(), shown.keys(), fontsize=7)


def _curve(axes: Axes, curve: Curve, colour: str, panel: Curves) -> bool:
    seen = panel.visible(curve)
    if not seen.any():
        return False
    x, y = np.asarray(curve.x, float)[seen], np.asarray(curve.y, float)[seen]
    if curve.error is not None:
        error = np.where(np.isfinite(curve.error), curve.error, 0.0)[seen]
        low = np.maximum(y - error, y / 1e3) if panel.log_y else y - error
        if curve.style == "points":
            axes.errorbar(x, y, [y - low, error], fmt="none", color=colour, capsize=2)
        else:
            axes.fill_between(x, low, y + error, color=colour, alpha=0.16, linewidth=0)
    marks = {
        "points": {"marker": "o", "linestyle": "", "markersize": 4},
        "dashed": {"linestyle": "--", "linewidth": 1},
        "steps": {"drawstyle": "steps-mid"},
    }
    if curve.style == "bounds":
        axes.errorbar(x, y, yerr=0.06 * max(np.ptp(y), 1.0), uplims=True, fmt="_", markersize=8, color=colour, label=curve.name)
    else:
        axes.plot(x, y, color=colour, label=curve.name, **marks.get(curve.style, {}))
    return True


@draw.register
def _(panel: HeatMap, paper: Paper) -> None:
    axes = paper.subplots()
    values = np.ma.masked_invalid(np.where(panel.values > 0, panel.values, np.nan) if panel.log else panel.values)
    mesh = axes.pcolormesh(panel.x_edges, panel.y_edges, values, cmap=SCALE, norm=norm_of(panel.values, panel.log), rasterized=True)
    axes.grid(False)
    paper.colorbar(mesh, ax=axes, label=panel.value)
    axes.set(xlabel=panel.x, ylabel=panel.y, title=panel.title)
    if panel.log_x:
        axes.set_xscale("log")
        round_ticks(axes.xaxis)


@draw.register
def _(panel: Volume, paper: Paper) -> None:
    """The mean along each cell vector, over the plane of the other two, true to their angle."""
    axes = paper.subplots(1, 3)
    mesh = None
    for where, (name, (right, up, towards)) in zip(axes, VIEWS.items(), strict=True):
        known = np.where(np.isfinite(panel.values), panel.values, 0.0).mean(axis=towards)
        flat = known if right < up else known.T  # (right, up)
        plane = _flat(panel.cell, right, up)
        grid = np.stack(np.meshgrid(*(np.linspace(0, 1, n + 1) for n in flat.shape), indexing="ij"), axis=-1) @ plane
        shown = np.ma.masked_less_equal(flat, 0) if panel.log else flat
        mesh = where.pcolormesh(grid[..., 0], grid[..., 1], shown, cmap=SCALE, norm=norm_of(flat, panel.log), rasterized=True)
        where.set(title=f"{panel.title}, {name}", aspect="equal")
        where.set_axis_off()
        paper.colorbar(mesh, ax=where, shrink=0.7, label=f"mean {panel.value}")


@draw.register
def _(panel: Network, paper: Paper) -> None:
    axes = paper.subplots(1, 3)
    weights = panel.counts / max(panel.counts.max(initial=1), 1)
    for where, (name, (right, up, _)) in zip(axes, VIEWS.items(), strict=True):
        flat, ways = (_projected(panel.cell, right, up, r.reshape(-1, 3)) for r in (panel.sites, panel.vectors))
        start = flat[panel.hops.reshape(-1, 2)[:, 0]]
        where.add_collection(
            LineCollection(np.stack([start, start + ways], axis=1), linewidths=0.3 + 2.5 * weights, colors="#64748b", alpha=0.6)
        )
        dots = where.scatter(flat[:, 0], flat[:, 1], c=panel.occupancies, cmap=SCALE, vmin=0, vmax=1, s=18, zorder=3)
        _outline(where, panel.cell, right, up, f"{panel.title}, {name}")
    paper.colorbar(dots, ax=axes, shrink=0.7, label="occupancy")


@draw.register
def _(panel: Particles, paper: Paper) -> None:
    axes = paper.subplots(1, 3)
    values, colours = np.asarray(panel.values, float), colours_of_names(panel.kinds, len(COLOURS))
    norm, scale = (norm_of(values, False), SCALE) if panel.middle is None else (norm_about(values, panel.middle), TWO_SIDED)
    kinds = np.array(panel.kinds, dtype=object)
    for where, (name, (right, up, towards)) in zip(axes, VIEWS.items(), strict=True):
        for kind, colour in colours.items():
            ends = _projected(panel.cell, right, up, panel.lines[kinds == kind].reshape(-1, 3)).reshape(-1, 2, 2)
            where.add_collection(LineCollection(ends, linewidths=1.2, colors=COLOURS[colour], alpha=0.7, label=kind))
        order = np.argsort(np.linalg.solve(panel.cell.T, panel.positions.T)[towards])  # what is nearer to the eye lies above
        flat = _projected(panel.cell, right, up, panel.positions)[order]
        dots = where.scatter(*flat.T, c=values[order], cmap=scale, norm=norm, s=16, zorder=3, edgecolors="#33393f", linewidths=0.3)
        _outline(where, panel.cell, right, up, f"{panel.title}, {name}")
    paper.colorbar(dots, ax=axes, shrink=0.7, label=panel.value)
    if colours:
        paper.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(colours), fontsize=7)


def _projected(cell: np.ndarray, right: int, up: int, points: np.ndarray) -> np.ndarray:
    """(n, 2), Å, of points (n, 3): along the third cell vector onto the plane of the two."""
    return np.linalg.solve(cell.T, points.T).T[:, [right, up]] @ _flat(cell, right, up)


def _outline(where: Axes, cell: np.ndarray, right: int, up: int, title: str) -> None:
    outline = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) @ _flat(cell, right, up)
    where.plot(*outline.T, color="#64748b", linewidth=0.8)
    where.set(title=title, aspect="equal")
    where.set_axis_off()


def _flat(cell: np.ndarray, right: int, up: int) -> np.ndarray:
    """The two cell vectors in their plane, (2, 2): the first to the right."""
    x = cell[right] / np.linalg.norm(cell[right])
    y = cell[up] - (cell[up] @ x) * x
    return cell[[right, up]] @ np.stack([x, y / np.linalg.norm(y)]).T
