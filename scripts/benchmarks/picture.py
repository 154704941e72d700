"""The benchmarks' pictures, as PNG: time against size, error against time, and error against labels."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mlff.report.look import COLOURS, GUIDE, LOOK, round_ticks

DPI = 200
MARGIN = 1.6  # a factor, on both sides of the times
NEAR = 1.15  # a factor: labels of lines nearer than this stand one below the other


def size_picture(rows: Sequence[dict], path: Path) -> None:
    """µs per atom against atoms, a line for each model, size, number of members and number of threads."""
    lines: dict[tuple, list[dict]] = {}
    for row in rows:
        lines.setdefault((row["model"], row["size"], row["members"], row["threads"]), []).append(row)
    kinds = sorted({key[:3] for key in lines})
    threads = sorted({key[3] for key in lines})
    with rc_context(LOOK):
        figure = Figure(figsize=(7.2, 4.2), layout="constrained")
        FigureCanvasAgg(figure)  # no pyplot: no window, no global state
        axes = figure.subplots()
        for key, points in sorted(lines.items()):
            points = sorted(points, key=lambda row: row["atoms"])
            model, size, members, n = key
            axes.plot(
                [row["atoms"] for row in points],
                [row["us_per_atom"] for row in points],
                color=COLOURS[kinds.index(key[:3]) % len(COLOURS)],
                linestyle=("-", "--", ":", "-.")[threads.index(n) % 4],
                marker="o",
                markersize=3.5,
                label=f"{model} {size}{f', {members} members' if members > 1 else ''}, {n} thread{'s' if n > 1 else ''}",
            )
        axes.set(xscale="log", yscale="log")
        for axis in (axes.xaxis, axes.yaxis):
            round_ticks(axis)
        axes.set_xlabel("atoms")
        axes.set_ylabel("µs per atom and step")
        axes.set_title("Energy, forces and stress, neighbours included", loc="left")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside right center")
        figure.savefig(path, dpi=DPI)


def pareto_picture(speeds: Mapping[str, float], errors: Mapping[str, float], path: Path, *, title: str, error: str) -> None:
    """Force error (meV/Å) against µs per atom. A model of unknown error is a
    vertical line; one of unknown time is not drawn."""
    known = {label: (time, errors[label]) for label, time in speeds.items() if label in errors}
    unknown = sorted((time, label) for label, time in speeds.items() if label not in errors)
    with rc_context(LOOK):
        figure = Figure(figsize=(7.6, 4.8), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        for k, (label, point) in enumerate(sorted(known.items())):
            axes.plot(*point, "o", color=COLOURS[k % len(COLOURS)], markersize=6)
            axes.annotate(label, point, xytext=(7, 5), textcoords="offset points", bbox={"color": "white", "alpha": 0.8, "pad": 1})
        front = pareto_front(known.values())
        if len(front) > 1:
            axes.plot(*zip(*front, strict=True), drawstyle="steps-post", **GUIDE)
        axes.set(xscale="log", xlim=(min(speeds.values()) / MARGIN, max(speeds.values()) * MARGIN))
        round_ticks(axes.xaxis)
        if known:
            axes.set_ylim(0, (1.9 if unknown else 1.2) * max(mae for _, mae in known.values()))  # the lines' labels stand above the points
        else:
            axes.set_yticks([])
        for low, (time, label) in zip(staggered([time for time, _ in unknown]), unknown, strict=True):
            axes.axvline(time, color=COLOURS[6], linewidth=0.8, alpha=0.5, zorder=0)
            axes.text(
                time, 0.98 - 0.22 * low, label + " ", transform=axes.get_xaxis_transform(), rotation=90, va="top", ha="right", fontsize=7
            )
        axes.set_xlabel("µs per atom and step (energy, forces and stress)")
        axes.set_ylabel(f"{error.strip()}, meV/Å")
        note = "; lines: no measured error" if unknown else ""
        axes.set_title(f"{title}{note}", loc="left")
        figure.savefig(path, dpi=DPI)


def learning_picture(curves: Mapping[str, Sequence[tuple[int, float]]], path: Path, *, title: str) -> None:
    """Force error, meV/Å, against the number of labels, a line for each way of choosing them."""
    with rc_context(LOOK):
        figure = Figure(figsize=(5.6, 3.8), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        for k, (name, points) in enumerate(curves.items()):
            axes.plot(*zip(*points, strict=True), marker="o", markersize=4, color=COLOURS[k], label=name)
        axes.set(xscale="log", yscale="log")
        for axis in (axes.xaxis, axes.yaxis):
            round_ticks(axis)
        axes.set_xlabel("labels")
        axes.set_ylabel("force RMSE, meV/Å")
        axes.set_title(title, loc="left")
        axes.legend()
        figure.savefig(path, dpi=DPI)


def pareto_front(points) -> list[tuple[float, float]]:
    """Those that no other point beats in both time and error, fastest first."""
    front: list[tuple[float, float]] = []
    for time, error in sorted(points):
        if not front or error < front[-1][1]:
            front.append((time, error))
    return front


def staggered(times: Sequence[float]) -> list[int]:
    """A storey for each of the ascending times, so that labels of neighbours do not overlap."""
    storeys: list[int] = []
    for k, time in enumerate(times):
        near = k > 0 and time < NEAR * times[k - 1]
        storeys.append((storeys[-1] + 1) % 3 if near else 0)
    return storeys
