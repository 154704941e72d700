"""The charts of an active-learning report."""

from base64 import b64encode
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from mlff.report.active_content import ActiveReport, Picture, Round, Uncertainties
from mlff.report.axis import Axis, tick_text
from mlff.report.chart import Chart
from mlff.report.curves import decades_extent
from mlff.report.plots import N_COLOURS, Figure
from mlff.units import TO_MILLI

CLASSES = {"accurate": 2, "candidate": 4, "failed": 1}  # and their colours
KINDS = {"chosen": 1, "audit": 0, "test": 6}  # of errors
KIND_NAMES = {"chosen": "chosen, before", "audit": "audit", "test": "all tests"}
MOST_ROUNDS = 12  # with a histogram of their own
MOST_TEMPERATURES = 6  # told apart in a histogram
N_BINS = 32
FARTHEST = 5.0  # times the upper level: a trajectory that explodes would leave no room for all others


def progress_figures(content: ActiveReport) -> list[Figure]:
    """Against the round: shares of the classes, and what was labelled until then, at what cost."""
    rounds = content.rounds
    labels, hours = np.cumsum([r.labelled for r in rounds]), np.cumsum([r.core_hours for r in rounds])
    counted = f"Labels in all rounds so far: {labels[-1]:,}; those of the first frames are not counted."
    return [
        _classes(rounds, content.wanted),
        _cumulated(rounds, labels, "labels", "Labels", counted),
        _cumulated(rounds, hours, "core hours", "Core hours", f"Of the reference code: {hours[-1]:.3g} core hours in all rounds so far."),
    ]


def _classes(rounds: Sequence[Round], wanted: float) -> Figure:
    chart = Chart(_by_round(rounds), Axis("frames, %", 0.0, 112.0), "Shares of accurate, candidate and failed frames of each round")
    x, base = np.array([r.number for r in rounds], float), np.zeros(len(rounds))
    for name, share in class_shares(rounds).items():
        chart.bars(x, base, base + share, CLASSES[name], name)
        base = base + share
    _stages(chart, rounds)
    chart.rule(y=100 * wanted)
    caption = f"A stage has converged at {wanted:.1%} accurate and none failed. Failed: those behind a failed frame or a stop too."
    return Figure("Frames", chart.svg(), caption, tuple((colour, name) for name, colour in CLASSES.items()))


def class_shares(rounds: Sequence[Round]) -> dict[str, np.ndarray]:
    """Percent of the frames of each round, (n_rounds,), by class."""
    totals = [r.total for r in rounds]
    return {name: np.array([100 * getattr(t, name) / max(t.total, 1) for t in totals]) for name in CLASSES}


def _cumulated(rounds: Sequence[Round], values: np.ndarray, label: str, title: str, caption: str) -> Figure:
    chart = Chart(_by_round(rounds), Axis.around(label, values, zero=True), f"{title} until the end of each round")
    _stages(chart, rounds)
    chart.line([r.number for r in rounds], values, 0, label)
    return Figure(title, chart.svg(), caption)


def _by_round(rounds: Sequence[Round]) -> Axis:
    return Axis("round", rounds[0].number - 0.5, rounds[-1].number + 0.5, whole=True)


def _stages(chart: Chart, rounds: Sequence[Round]) -> None:
    for number, stage in stage_starts(rounds):
        chart.rule(x=number - 0.5, text=stage)


def stage_starts(rounds: Sequence[Round]) -> list[tuple[int, str]]:
    """The first round of each stage but the first, whose name is needless where there is one alone."""
    return [(r.number, r.stage) for before, r in pairwise(rounds) if r.stage != before.stage]


def error_figures(content: ActiveReport) -> list[Figure]:
    """Force errors against the labels that the model had learnt: one chart for all elements, one for each."""
    return [_errors(content, element) for element in elements(content)]


def elements(content: ActiveReport) -> list[str]:
    """What errors are known of: all, the mobile ions, the others."""
    found = {element for r in content.rounds for errors in r.errors.values() for element in errors}
    return sorted(found, key=lambda element: (element != "all", element not in content.mobile, element))


def error_series(content: ActiveReport, element: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """(labels known, RMSE in meV/Å) of each kind, each (n_rounds with it,)."""
    found = {}
    for kind in KINDS:
        pairs = [(r.known, TO_MILLI * r.errors[kind][element]) for r in content.rounds if element in r.errors.get(kind, {})]
        if pairs:
            found[kind] = tuple(np.array(column, float) for column in zip(*pairs, strict=True))
    return found


def _errors(content: ActiveReport, element: str) -> Figure:
    series = error_series(content, element)
    name = "all elements" if element == "all" else element
    chart = Chart(
        Axis.around("labels the model knew", *(x for x, _ in series.values())),
        Axis.around("force RMSE, meV/Å", *(y for _, y in series.values()), zero=True),
        f"Root mean square error of the forces on {name} against the number of labels",
        hover="values",
    )
    for kind, (x, y) in series.items():
        chart.line(x, y, KINDS[kind], KIND_NAMES[kind])
        chart.marks(x, y, KINDS[kind], KIND_NAMES[kind])
    return Figure(name.capitalize() if element == "all" else name, chart.svg(), "", tuple((KINDS[k], KIND_NAMES[k]) for k in series))


def uncertainty_histograms(content: ActiveReport) -> list[Figure]:
    """What each round judged, its levels marked; of many rounds some, the first and the last among them."""
    shown = [content.rounds[k] for k in shown_rounds(len(content.rounds))]
    extent = value_extent([r.uncertainties for r in shown])
    heights = [histogram(r.uncertainties, extent) for r in shown]
    top = max((float(h.max(initial=0.0)) for _, by_temperature in heights for h in by_temperature.values()), default=0.0)
    return [_histogram(r, edges, found, top) for r, (edges, found) in zip(shown, heights, strict=True)]


def shown_rounds(n: int) -> list[int]:
    """Numbers of at most MOST_ROUNDS of n rounds, spread evenly."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST_ROUNDS)).round().astype(int)).tolist()


def value_extent(judged: Sequence[Uncertainties]) -> tuple[float, float]:
    """Ends of a logarithmic axis that holds the levels and nearly all values, but none far beyond the upper level."""
    values = np.concatenate([np.zeros(0), *(v for each in judged for v in each.values.values())])
    levels = np.array([level for each in judged for level in each.levels])
    return decades_extent(np.minimum(values, FARTHEST * levels.max()), levels)


def histogram(judged: Uncertainties, extent: tuple[float, float]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Edges of the bins, and the percent of all planned frames in each of them, by temperature; of many temperatures, together.

    The first and the last bin hold what lies beyond them too.
    """
    edges = np.geomspace(*extent, N_BINS + 1)
    groups = {f"{t:g} K": v for t, v in sorted(judged.values.items())}
    if len(groups) > MOST_TEMPERATURES:
        groups = {"all": np.concatenate(list(groups.values()))}
    n = max(judged.planned, 1)
    return edges, {name: 100 * np.histogram(np.clip(v, *extent), edges)[0] / n for name, v in groups.items()}


def _histogram(round: Round, edges: np.ndarray, heights: dict[str, np.ndarray], top: float) -> Figure:
    judged = round.uncertainties
    chart = Chart(
        Axis(value_label(judged), edges[0], edges[-1], log=True),
        Axis.around("frames, %", [top], zero=True),
        f"Distribution of the uncertainty of the frames of round {round.number}, with its levels",
    )
    for level in judged.levels:
        chart.rule(x=level, text=tick_text(float(f"{level:.3g}")))
    for number, (name, height) in enumerate(heights.items()):
        chart.steps(edges, height, number % N_COLOURS, name)
    legend = tuple((number % N_COLOURS, name) for number, name in enumerate(heights)) if len(heights) > 1 else ()
    return Figure(f"Round {round.number}, {round.stage}", chart.svg(), f"{not_shown(judged)}.", legend)


def value_label(judged: Uncertainties) -> str:
    return f"uncertainty, {judged.unit}" if judged.unit else "extrapolation grade"


def not_shown(judged: Uncertainties) -> str:
    """How many frames there were, and which of them a histogram does not hold."""
    words = [
        f"{judged.planned:,} frames planned",
        f"{judged.not_reached:,} not reached ({judged.not_reached / max(judged.planned, 1):.0%})",
    ]
    words += [f"{judged.not_finite:,} without a finite number"] if judged.not_finite else []
    return ", ".join(words)


def picture_figure(picture: Picture) -> Figure:
    image = f"data:image/png;base64,{b64encode(picture.png).decode()}"
    return Figure(
        picture.title,
        Markup('<div class="picture" tabindex="0"><img alt="{}" src="{}"></div>').format(picture.title, image),
        picture.caption,
    )
