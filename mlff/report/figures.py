"""The key figures as PNG files, for a paper or a talk."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from mlff.report.content import SPLITS, PredictionSamples, ReportContent
from mlff.report.curves import LEAST, binned_band, common_extent, density, slope_through_origin
from mlff.report.history import PANELS, clocks, series, stage_starts
from mlff.report.look import COLOURS, GUIDE, LOOK, PANEL, round_ticks, shades
from mlff.report.plots import SPLIT_COLOURS, SPLIT_NAMES
from mlff.report.uncertainty_panels import uncertainty_panels
from mlff.units import EV_PER_A3_TO_GPA, TO_MILLI

CELLS = 120


def write_figures(folder: str | Path, content: ReportContent, *, dpi: int = 200) -> list[Path]:
    """Writes parity.png, error_by_force.png, uncertainty.png and learning_curves.png where the content has them; returns their paths."""
    samples = next((content.samples[split] for split in reversed(SPLITS) if split in content.samples), None)
    drawn: dict[str, list[Callable[[Axes], None]]] = {}
    if samples is not None:
        drawn["parity"] = _parity_panels(samples)
        drawn["error_by_force"] = [lambda axes: _error_by_force(axes, samples)] if _most_of_one_element(samples) >= LEAST else []
    if content.uncertainty is not None:
        drawn["uncertainty"] = uncertainty_panels(content.uncertainty)
    drawn["learning_curves"] = _learning_panels(content)
    return draw_pictures(folder, drawn, dpi)


def draw_pictures(folder: str | Path, drawn: Mapping[str, list[Callable[[Axes], None]]], dpi: int) -> list[Path]:
    """A PNG file of each name that has panels; their paths. The folder is made."""
    folder, paths = Path(folder), []
    folder.mkdir(parents=True, exist_ok=True)
    for name, panels in drawn.items():
        if panels:
            paths.append(folder / f"{name}.png")
            draw_panels(paths[-1], panels, dpi)
    return paths


def draw_panels(path: Path, panels: list[Callable[[Axes], None]], dpi: int) -> None:
    """A picture of panels, three in a row, each drawn by a function of its axes."""
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    with rc_context(LOOK):
        figure = Figure(figsize=(PANEL * columns if len(panels) > 1 else 1.4 * PANEL, PANEL * rows), layout="constrained")
        FigureCanvasAgg(figure)  # no pyplot: no window, no global state
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for panel, where in zip(panels, axes, strict=False):
            panel(where)
        for empty in axes[len(panels) :]:
            empty.set_axis_off()
        figure.savefig(path, dpi=dpi)


def _parity_panels(samples: PredictionSamples) -> list[Callable[[Axes], None]]:
    panels = []
    if len(samples.energy_ref):
        zero = samples.energy_ref.mean()
        pair = [TO_MILLI * (e - zero) for e in (samples.energy_ref, samples.energy_pred)]
        panels.append(lambda axes, pair=pair: _density(axes, *pair, COLOURS[0], "energy", "meV/atom"))
    for colour, element in enumerate(sorted(set(samples.elements.tolist()))):
        chosen = samples.elements == element
        pair = [f[chosen].ravel() for f in (samples.forces_ref, samples.forces_pred)]
        colour_of = COLOURS[colour % len(COLOURS)]
        panels.append(lambda axes, pair=pair, c=colour_of, e=element: _density(axes, *pair, c, f"force on {e}", "eV/Å"))
    if len(samples.stress_ref):
        pair = [EV_PER_A3_TO_GPA * s.ravel() for s in (samples.stress_ref, samples.stress_pred)]
        panels.append(lambda axes, pair=pair: _density(axes, *pair, COLOURS[6], "stress", "GPa"))
    return panels


def _density(axes: Axes, reference: np.ndarray, predicted: np.ndarray, colour: str, name: str, unit: str) -> None:
    extent = common_extent(reference, predicted)
    counts = density(reference, predicted, extent, CELLS).astype(float)
    axes.plot(extent, extent, **GUIDE)
    axes.imshow(
        np.ma.masked_equal(counts, 0),
        extent=extent + extent,
        origin="lower",
        cmap=shades(colour),
        norm=LogNorm(1, max(counts.max(), 2)),
        interpolation="nearest",
        zorder=2,  # above the grid
    )
    slope = slope_through_origin(reference, predicted) if name.startswith("force") else None
    rmse = np.sqrt(np.square(predicted - reference).mean())
    value = f"{TO_MILLI * rmse:.1f} meV/Å" if unit == "eV/Å" else f"{rmse:.3g} {unit}"
    axes.text(0.05, 0.95, f"RMSE {value}" + (f"\nslope {slope:.3f}" if slope else ""), transform=axes.transAxes, va="top")
    axes.set(title=name, xlabel=f"reference, {unit}", ylabel=f"predicted, {unit}", xlim=extent, ylim=extent, aspect="equal")


def _error_by_force(axes: Axes, samples: PredictionSamples) -> None:
    for colour, element in enumerate(sorted(set(samples.elements.tolist()))):
        chosen = samples.elements == element
        error = TO_MILLI * np.linalg.norm(samples.forces_pred[chosen] - samples.forces_ref[chosen], axis=1)
        band = binned_band(np.linalg.norm(samples.forces_ref[chosen], axis=1), error)
        axes.plot(band.x, band.median, color=COLOURS[colour % len(COLOURS)], label=element)
        axes.fill_between(band.x, band.low, band.high, color=COLOURS[colour % len(COLOURS)], alpha=0.12, linewidth=0)
    axes.set(
        xlabel="size of the reference force, eV/Å", ylabel="size of the force error, meV/Å", yscale="log", title="median and 90 % band"
    )
    axes.set_xscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        round_ticks(axis)
    axes.legend()


def _most_of_one_element(samples: PredictionSamples) -> int:
    return int(np.unique(samples.elements, return_counts=True)[1].max(initial=0))


def _learning_panels(content: ReportContent) -> list[Callable[[Axes], None]]:
    found = clocks(content.history)
    if not found:
        return []
    clock, panels = found[0], []
    for panel in PANELS:
        curves = {split: s for split, key in panel.keys.items() if (s := series(content.history, clock, key)) is not None}
        if curves:
            panels.append(lambda axes, panel=panel, curves=curves: _learning(axes, panel, curves, clock, content))
    return panels


def _learning(axes: Axes, panel, curves: dict, clock, content: ReportContent) -> None:
    for at, _ in stage_starts(content.history, clock):
        axes.axvline(at, **GUIDE)
    for split, (x, y) in curves.items():
        axes.plot(x, y, color=COLOURS[SPLIT_COLOURS[split]], label=SPLIT_NAMES[split])
    axes.set(xlabel=clock.label, ylabel=panel.label, yscale="log", title=panel.title)
    round_ticks(axes.yaxis)
    if len(curves) > 1:
        axes.legend()
