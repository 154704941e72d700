"""What a picture of an observable shows, as plain data: drawn in the page, as PNG and PDF, and written as CSV from the same arrays.

Labels end with the unit, after a comma: "lag, ps". The same panel of several trajectories has the same title.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from mlff.analysis import Estimate

STYLES = ("line", "dashed", "points", "steps", "bounds")


def known_error(error: np.ndarray) -> np.ndarray | None:
    """The errors of a curve; None where the run was too short for some of them."""
    return error if np.isfinite(error).all() else None


@dataclass(frozen=True)
class Curve:
    """name: told in the legend, short. x, y: (n,). error: (n,), one standard deviation of y, drawn as a band; None without.

    style: line, dashed, points, steps with x in the middle of each bin, or bounds: the value lies below y.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    error: np.ndarray | None = None
    style: str = "line"

    @classmethod
    def where_known(cls, name: str, x: np.ndarray, y: np.ndarray, error: np.ndarray | None = None) -> Self:
        """A line through the finite y alone; without errors where some of theirs are not known."""
        seen = np.isfinite(y)
        return cls(name, x[seen], y[seen], None if error is None else known_error(error[seen]))

    def __post_init__(self):
        sizes = {len(self.x), len(self.y), len(self.x) if self.error is None else len(self.error)}
        if len(sizes) > 1 or self.style not in STYLES:
            raise ValueError(
                f"curve {self.name!r} has arrays of {sorted(sizes)} values and style {self.style!r}; "
                f"expected one length and one of {', '.join(STYLES)}"
            )


@dataclass(frozen=True)
class Curves:
    """Curves on two axes.

    x, y: labels. log_x, log_y: logarithmic axes; what is not positive is left out there. zero: the y axis begins at 0.
    windows: (start, stop) of x that are marked by a stripe. levels: {words: y} of horizontal lines. marks: {words: x} of vertical ones.
    """

    title: str
    x: str
    y: str
    curves: Sequence[Curve]
    log_x: bool = False
    log_y: bool = False
    zero: bool = False
    caption: str = ""
    windows: Sequence[tuple[float, float]] = ()
    levels: dict[str, float] = field(default_factory=dict)
    marks: dict[str, float] = field(default_factory=dict)

    def visible(self, curve: Curve) -> np.ndarray:
        """(n,) bool, which values of a curve the axes can show."""
        x, y = np.asarray(curve.x, float), np.asarray(curve.y, float)
        return np.isfinite(x) & np.isfinite(y) & ((x > 0) | (not self.log_x)) & ((y > 0) | (not self.log_y))


@dataclass(frozen=True)
class HeatMap:
    """A value over a plane. x_edges: (n_x + 1,), y_edges: (n_y + 1,), of the bins, even; on a logarithmic x axis even in its logarithm.

    values: (n_y, n_x), NaN where nothing is known. log: shaded by the logarithm of the value.
    """

    title: str
    x: str
    y: str
    value: str
    x_edges: np.ndarray
    y_edges: np.ndarray
    values: np.ndarray
    log: bool = False
    log_x: bool = False
    caption: str = ""

    def __post_init__(self):
        expected = (len(self.y_edges) - 1, len(self.x_edges) - 1)
        if self.values.shape != expected:
            raise ValueError(f"the map {self.title!r} has values of shape {self.values.shape}, expected {expected} from its edges")


@dataclass(frozen=True)
class Volume:
    """A value on a grid of the cell. cell: (3, 3) rows, Å. values: (n_a, n_b, n_c), at fractions (i / n_a, j / n_b, k / n_c).

    levels: {words: value} of isosurfaces worth showing.
    positions, symbols: (n, 3), Å, and (n,): atoms that give orientation, of the framework.
    """

    title: str
    value: str
    cell: np.ndarray
    values: np.ndarray
    levels: dict[str, float] = field(default_factory=dict)
    positions: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))
    symbols: Sequence[str] = ()
    log: bool = False
    caption: str = ""


@dataclass(frozen=True)
class Network:
    """Sites and the hops between them. sites: (n, 3), Å. occupancies: (n,), 0 to 1.

    hops: (m, 2), from and to. vectors: (m, 3), Å, the way of each hop. counts: (m,).
    """

    title: str
    cell: np.ndarray
    sites: np.ndarray
    occupancies: np.ndarray
    hops: np.ndarray
    vectors: np.ndarray
    counts: np.ndarray
    caption: str = ""


@dataclass(frozen=True)
class Particles:
    """Particles coloured by a value, with lines of several kinds among them: bonds of anions, ways of ions.

    value: what the colour tells. cell: (3, 3) rows, Å. positions: (n, 3), Å. values: (n,).
    lines: (m, 2, 3), Å, from and to. kinds: (m,), by which lines are coloured and told in the legend.
    middle: value between two colours, of what has two sides; None: from dark to bright.
    """

    title: str
    value: str
    cell: np.ndarray
    positions: np.ndarray
    values: np.ndarray
    lines: np.ndarray = field(default_factory=lambda: np.zeros((0, 2, 3)))
    kinds: Sequence[str] = ()
    middle: float | None = None
    caption: str = ""

    def __post_init__(self):
        if len(self.positions) != len(self.values) or len(self.lines) != len(self.kinds):
            raise ValueError(
                f"the picture {self.title!r} has {len(self.positions)} positions, {len(self.values)} values, {len(self.lines)} lines and "
                f"{len(self.kinds)} kinds; expected as many values as positions and as many kinds as lines"
            )


Panel = Curves | HeatMap | Volume | Network | Particles


@dataclass(frozen=True)
class Number:
    """One number of an observable with its error or bound. name: "attempt frequency", what of it follows: "attempt frequency, Li"."""

    name: str
    estimate: Estimate


@dataclass(frozen=True)
class Description:
    """What an observable says. title: a word or two. lead: one sentence on how to read it, and the trap to avoid.

    remarks: what must be known to trust the numbers, of this trajectory.
    """

    title: str
    lead: str
    panels: Sequence[Panel] = ()
    numbers: Sequence[Number] = ()
    remarks: Sequence[str] = ()
