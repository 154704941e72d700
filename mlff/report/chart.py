"""Small charts as inline SVG: they scale, print, follow the colour scheme of the page through its style sheet, and weigh little."""

import json
from base64 import b64encode
from collections.abc import Sequence
from html import escape

import numpy as np
from markupsafe import Markup

from mlff.report.axis import Axis, tick_text
from mlff.report.colour_scale import png_of

LEFT, RIGHT, TOP, BOTTOM = 50, 14, 28, 44
LEVELS = 6  # shades of a density


class Chart:
    """A plane with two axes to draw on; colours are numbers of the palette in style.css.

    Args:
        description: what the chart shows, for a reader who cannot see it.
        hover: what a pointer reads off: "lines" (all series at the nearest x), "points" (the nearest point of a
            parity), "values" (the nearest point), "plane" (x and y), "map" (x, y and the value of `image` there).
    """

    def __init__(self, x: Axis, y: Axis, description: str, *, width: int = 380, height: int = 290, hover: str = "lines"):
        self.x, self.y, self.description, self.hover = x, y, description, hover
        self.width, self.height = width, height
        self.box = (LEFT, TOP, width - LEFT - RIGHT, height - TOP - BOTTOM)
        self._parts: list[str] = []
        self._series: list[dict] = []
        self._map: dict | None = None

    def line(self, x: Sequence[float], y: Sequence[float], colour: int, name: str, *, dashed: bool = False) -> None:
        px, py = self._pixels(x, y)
        kind = "line dashed" if dashed else "line"
        self._parts.append(f'<path class="{kind} c{colour}" d="M{_path(px, py)}"/>')
        if len(px) == 1:
            self._parts.append(f'<circle class="dot c{colour}" cx="{px[0]:.1f}" cy="{py[0]:.1f}" r="3"/>')
        self._remember(x, y, colour, name)

    def band(self, x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: int) -> None:
        px, top = self._pixels(x, high)
        _, bottom = self._pixels(x, low)
        self._parts.append(f'<path class="band c{colour}" d="M{_path(px, top)}L{_path(px[::-1], bottom[::-1])}Z"/>')

    def bars(self, x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: int, name: str) -> None:
        """Upright bars around x, as wide as leaves a gap where x are 1 apart; told is their length."""
        (left, top), (right, bottom) = self._pixels(np.asarray(x) - 0.38, high), self._pixels(np.asarray(x) + 0.38, low)
        boxes = zip(left, right, top, bottom, strict=True)
        self._parts.append(
            f'<path class="area c{colour}" d="{"".join(f"M{a:.1f} {c:.1f}H{b:.1f}V{d:.1f}H{a:.1f}Z" for a, b, c, d in boxes)}"/>'
        )
        self._remember(x, np.subtract(high, low), colour, name)

    def points(self, x: Sequence[float], y: Sequence[float], colour: int, name: str) -> None:
        px, py = self._pixels(x, y)
        marks = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in zip(px, py, strict=True))  # round caps turn empty strokes into dots
        self._parts.append(f'<path class="points c{colour}" d="{marks}"/>')
        self._remember(x, y, colour, name)

    def errors(self, x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: int) -> None:
        """Vertical bars."""
        px, bottom = self._pixels(x, low)
        _, top = self._pixels(x, high)
        bars = "".join(f"M{a - 3:.1f} {b:.1f}h6m-3 0V{c:.1f}m-3 0h6" for a, b, c in zip(px, bottom, top, strict=True))
        self._parts.append(f'<path class="line c{colour}" d="{bars}"/>')

    def marks(self, x: Sequence[float], y: Sequence[float], colour: int, name: str) -> None:
        """Round marks that are told from a line through them."""
        px, py = self._pixels(x, y)
        dots = (f'<circle class="dot c{colour}" cx="{a:.1f}" cy="{b:.1f}" r="3.5"/>' for a, b in zip(px, py, strict=True))
        self._parts.append("".join(dots))
        self._remember(x, y, colour, name)

    def upper_limits(self, x: Sequence[float], y: Sequence[float], colour: int, name: str) -> None:
        """A short bar with an arrow that points down: the value lies below."""
        px, py = self._pixels(x, y)
        arrows = "".join(f"M{a - 5:.1f} {b:.1f}h10m-5 0v18m-4 -5l4 5l4 -5" for a, b in zip(px, py, strict=True))
        self._parts.append(f'<path class="line c{colour}" d="{arrows}"/>')
        self._remember(x, y, colour, name)

    def window(self, start: float, stop: float) -> None:
        """A faint stripe between two x."""
        left, top, width, height = self.box
        a, b = (left + width * float(self.x.place(x)) for x in (start, stop))
        self._parts.append(f'<path class="window" d="M{a:.1f} {top}H{b:.1f}v{height}H{a:.1f}Z"/>')

    def density(self, counts: np.ndarray, colour: int) -> None:
        """A grid of counts over the whole plane, (rows from below, columns), shaded by the logarithm of the count."""
        rows, columns = counts.shape
        left, top, width, height = self.box
        shade = np.zeros(counts.shape, int)
        some = counts > 0
        shade[some] = 1 + np.floor(np.log(counts[some]) / np.log(counts.max() + 1) * LEVELS).astype(int)
        place = f"translate({left} {top + height}) scale({width / columns:.5f} {-height / rows:.5f})"
        for level in range(1, LEVELS + 1):
            runs = [run for row in range(rows) for run in _runs(shade[row] == level, row)]
            if runs:
                path = "".join(f"M{c} {r}h{n}v1h-{n}z" for r, c, n in runs)
                self._parts.append(f'<path class="density d{level} c{colour}" transform="{place}" d="{path}"/>')

    def image(self, values: np.ndarray, label: str, log: bool) -> None:
        """Values over the whole plane as colours, (rows from below, columns); `label` names them, with the unit after a comma."""
        left, top, width, height = self.box
        data = f"data:image/png;base64,{b64encode(png_of(values, log)).decode()}"
        place = f'x="{left}" y="{top}" width="{width}" height="{height}"'
        self._parts.append(f'<image {place} preserveAspectRatio="none" href="{data}"/>')
        shown = [[None if not np.isfinite(v) else float(f"{v:.3g}") for v in row] for row in values]
        self._map = {"label": label, "values": shown}

    def steps(self, edges: np.ndarray, heights: np.ndarray, colour: int, name: str) -> None:
        """A histogram's outline; empty bins of a logarithmic axis are gaps."""
        centres, kept = (edges[1:] + edges[:-1]) / 2, heights > 0
        for start, stop in _stretches(kept):
            tops = np.concatenate([[self.y.low], np.repeat(heights[start:stop], 2), [self.y.low]])
            px, py = self._pixels(np.repeat(edges[start : stop + 1], 2), tops)
            self._parts.append(f'<path class="line c{colour}" d="M{_path(px, py)}"/>')
        self._remember(centres[kept], heights[kept], colour, name)

    def slope(self, slope: float, kind: str) -> None:
        """The line y = slope · x through the origin, drawn as "ideal" or "fit"."""
        ends = np.array([self.x.low, self.x.high])
        if slope:  # cut where the line leaves the plane above or below
            limits = np.sort(np.array([self.y.low, self.y.high]) / slope)
            ends = np.clip(ends, *limits)
        px, py = self._pixels(ends, slope * ends)
        self._parts.append(f'<path class="{kind}" d="M{_path(px, py)}"/>')

    def guide(self, x: Sequence[float], y: Sequence[float], text: str) -> None:
        """A dashed line to compare with, named at its upper end."""
        px, py = self._pixels(x, y)
        self._parts.append(f'<path class="ideal" d="M{_path(px, py)}"/>')
        self._parts.append(f'<text class="note" text-anchor="end" x="{px[-1] - 6:.1f}" y="{py[-1] - 4:.1f}">{escape(text)}</text>')

    def rule(self, *, x: float | None = None, y: float | None = None, text: str = "") -> None:
        """A thin line across the plane at one x or one y, with a few words beside it."""
        left, top, width, height = self.box
        if x is not None:
            at = left + width * float(self.x.place(x))
            self._parts.append(f'<path class="rule" d="M{at:.1f} {top}v{height}"/>')
            side, where = (' text-anchor="end"', at - 5) if at > left + 0.75 * width else ("", at + 5)  # the words stay inside the plane
            self._parts.append(f'<text class="note"{side} x="{where:.1f}" y="{top + 12}">{escape(text)}</text>')
        if y is not None:
            at = top + height * (1 - float(self.y.place(y)))
            self._parts.append(f'<path class="rule" d="M{left} {at:.1f}h{width}"/>')
            self._parts.append(f'<text class="note" text-anchor="end" x="{left + width - 4}" y="{at - 5:.1f}">{escape(text)}</text>')

    def note(self, text: str) -> None:
        """Words in the upper left corner of the plane."""
        self._parts.append(f'<text class="note strong" x="{LEFT + 10}" y="{TOP + 18}">{escape(text)}</text>')

    def svg(self) -> Markup:
        hover = {"mode": self.hover, "box": self.box, "x": _axis(self.x), "y": _axis(self.y), "series": self._series}
        hover |= {"map": self._map} if self._map else {}
        return Markup(
            f'<svg class="chart" viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(self.description)}" '
            f"data-hover='{escape(json.dumps(hover, separators=(',', ':'), ensure_ascii=False))}'>"
            f'{self._frame()}<g class="marks">{"".join(self._parts)}</g><g class="cursor" aria-hidden="true"></g></svg>'
        )

    def _frame(self) -> str:
        left, top, width, height = self.box
        parts = [f'<text class="axis" x="2" y="14">{escape(self.y.label)}</text>']
        parts.append(f'<text class="axis" text-anchor="end" x="{left + width}" y="{self.height - 6}">{escape(self.x.label)}</text>')
        for tick in self.x.ticks(about=5):
            at = left + width * float(self.x.place(tick))
            parts.append(f'<path class="grid" d="M{at:.1f} {top}v{height}"/>')
            parts.append(f'<text class="tick" text-anchor="middle" x="{at:.1f}" y="{top + height + 16}">{tick_text(tick)}</text>')
        for tick in self.y.ticks(about=5):
            at = top + height * (1 - float(self.y.place(tick)))
            parts.append(f'<path class="grid" d="M{left} {at:.1f}h{width}"/>')
            parts.append(f'<text class="tick" text-anchor="end" x="{left - 7}" y="{at + 4:.1f}">{tick_text(tick)}</text>')
        return "".join(parts)

    def _pixels(self, x: Sequence[float], y: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        left, top, width, height = self.box
        return left + width * self.x.place(x), top + height * (1 - self.y.place(y))

    def _remember(self, x: Sequence[float], y: Sequence[float], colour: int, name: str) -> None:
        self._series.append({"name": name, "colour": colour, "x": _short(x), "y": _short(y)})


def _axis(axis: Axis) -> dict:
    return {"label": axis.label, "low": axis.low, "high": axis.high, "log": axis.log}


def _short(values: Sequence[float]) -> list[float]:
    return [float(f"{v:.5g}") for v in np.asarray(values, float)]


def _path(x: np.ndarray, y: np.ndarray) -> str:
    return "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))


def _runs(mask: np.ndarray, row: int) -> list[tuple[int, int, int]]:
    return [(row, start, stop - start) for start, stop in _stretches(mask)]


def _stretches(mask: np.ndarray) -> list[tuple[int, int]]:
    """Start and stop of each stretch of True."""
    turns = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in turns.reshape(-1, 2)]
