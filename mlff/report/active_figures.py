"""The figures of an active-learning campaign as PNG files, for a paper or a talk."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mlff.report.active_content import ActiveReport, Round
from mlff.report.active_plots import (
    CLASSES,
    KIND_NAMES,
    KINDS,
    class_shares,
    elements,
    error_series,
    histogram,
    shown_rounds,
    stage_starts,
    value_extent,
    value_label,
)
from mlff.report.active_tables import conditions
from mlff.report.figures import draw_pictures
from mlff.report.look import COLOURS, GUIDE, round_ticks, shades
from mlff.report.uncertainty_panels import uncertainty_panels


def write_active_figures(folder: str | Path, content: ActiveReport, *, dpi: int = 150) -> list[Path]:
    """Writes progress.png, errors.png, conditions.png, uncertainty.png and calibration.png where there is something; their paths."""
    rounds = content.rounds
    shown = [rounds[k] for k in shown_rounds(len(rounds))]
    extent = value_extent([r.uncertainties for r in shown])
    drawn: dict[str, list[Callable[[Axes], None]]] = {
        "progress": [
            partial(_classes, content=content),
            partial(_cumulated, rounds=rounds, values=np.cumsum([r.labelled for r in rounds]), label="labels"),
            partial(_cumulated, rounds=rounds, values=np.cumsum([r.core_hours for r in rounds]), label="core hours"),
        ],
        "errors": [partial(_errors, content=content, element=element) for element in elements(content)],
        "conditions": [partial(_conditions, content=content)],
        "uncertainty": [partial(_histogram, round=r, extent=extent) for r in shown],
        "calibration": uncertainty_panels(content.calibration) if content.calibration else [],
    }
    return draw_pictures(folder, drawn, dpi)


def _classes(axes: Axes, content: ActiveReport) -> None:
    numbers, base = [r.number for r in content.rounds], np.zeros(len(content.rounds))
    for name, share in class_shares(content.rounds).items():
        axes.bar(numbers, share, 0.76, bottom=base, color=COLOURS[CLASSES[name]], label=name)
        base = base + share
    axes.axhline(100 * content.wanted, **GUIDE)
    axes.set(xlabel="round", ylabel="frames, %", ylim=(0, 100))
    _by_round(axes, content.rounds)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, fontsize=7)


def _cumulated(axes: Axes, rounds: list[Round], values: np.ndarray, label: str) -> None:
    axes.plot([r.number for r in rounds], values, marker="o", markersize=3, color=COLOURS[0])
    axes.set(xlabel="round", ylabel=f"{label}, cumulated")
    axes.set_ylim(bottom=0)
    _by_round(axes, rounds)


def _by_round(axes: Axes, rounds: list[Round]) -> None:
    for number, _ in stage_starts(rounds):
        axes.axvline(number - 0.5, **GUIDE)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _errors(axes: Axes, content: ActiveReport, element: str) -> None:
    for kind, (x, y) in error_series(content, element).items():
        axes.plot(x, y, marker="o", markersize=3, color=COLOURS[KINDS[kind]], label=KIND_NAMES[kind])
    axes.set(xlabel="labels the model knew", ylabel="force RMSE, meV/Å", title="all elements" if element == "all" else element)
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=7)


def _conditions(axes: Axes, content: ActiveReport) -> None:
    rows, rounds = conditions(content), content.rounds
    ratios = np.full((len(rows), len(rounds)), np.nan)
    for column, r in enumerate(rounds):
        for s in r.shares:
            if s.ratio is not None:
                ratios[rows.index((s.system, s.temperature)), column] = 100 * s.ratio
    shown = np.ma.masked_invalid(ratios)
    image = axes.imshow(shown, cmap=shades(COLOURS[CLASSES["accurate"]]), vmin=0, vmax=100, aspect="auto", interpolation="nearest")
    axes.figure.colorbar(image, ax=axes, label="accurate, %")
    axes.set_yticks(range(len(rows)), [f"{system}, {temperature:g} K" for system, temperature in rows], fontsize=6)
    axes.set_xticks(range(len(rounds)), [str(r.number) for r in rounds], fontsize=7)
    axes.set(xlabel="round")
    axes.grid(visible=False)


def _histogram(axes: Axes, round: Round, extent: tuple[float, float]) -> None:
    edges, heights = histogram(round.uncertainties, extent)
    for number, (name, height) in enumerate(heights.items()):
        axes.stairs(height, edges, color=COLOURS[number % len(COLOURS)], label=name)
    for level in round.uncertainties.levels:
        axes.axvline(level, **GUIDE)
    axes.set(xscale="log", xlim=extent, xlabel=value_label(round.uncertainties), ylabel="frames, %", title=f"round {round.number}")
    round_ticks(axes.xaxis)
    axes.legend(fontsize=7)
