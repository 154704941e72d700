"""A panel's arrays as a CSV file, with what each column is and its unit in the head."""

from collections.abc import Iterator
from functools import singledispatch
from pathlib import Path

import numpy as np

from mlff.report.number_files import write_csv
from mlff.report.panels import Curves, HeatMap, Network, Particles, Volume


def write_panel_csv(path: str | Path, panel: object) -> Path:
    """Writes the panel to `path` and returns it; folders on the way are made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_csv(path, rows(panel))
    return path


@singledispatch
def rows(panel: object) -> Iterator[tuple]:
    """The head, then one row for each value."""
    raise TypeError(f"found a {type(panel).__name__}, expected a panel")


@rows.register
def _(panel: Curves) -> Iterator[tuple]:
    yield ("curve", panel.x, panel.y, "error")
    for curve in panel.curves:
        errors = np.full(len(curve.x), np.nan) if curve.error is None else curve.error
        for x, y, error in zip(curve.x, curve.y, errors, strict=True):
            yield curve.name, float(x), float(y), float(error) if np.isfinite(error) else ""


@rows.register
def _(panel: HeatMap) -> Iterator[tuple]:
    yield panel.x, panel.y, panel.value
    x, y = ((edges[1:] + edges[:-1]) / 2 for edges in (panel.x_edges, panel.y_edges))
    for row, values in zip(y, panel.values, strict=True):
        for column, value in zip(x, values, strict=True):
            yield float(column), float(row), float(value)


@rows.register
def _(panel: Volume) -> Iterator[tuple]:
    """Only where there is a value; the cube file has the whole grid."""
    yield "fraction of a", "fraction of b", "fraction of c", panel.value
    shape = np.array(panel.values.shape)
    for place in np.argwhere(np.isfinite(panel.values) & (panel.values != 0)):
        yield *(float(f) for f in place / shape), float(panel.values[tuple(place)])


@rows.register
def _(panel: Network) -> Iterator[tuple]:
    yield "from", "to", "x of the way, Å", "y, Å", "z, Å", "count", "x of the start, Å", "y, Å", "z, Å"
    for (a, b), vector, count in zip(panel.hops, panel.vectors, panel.counts, strict=True):
        yield int(a), int(b), *(float(v) for v in vector), float(count), *(float(v) for v in panel.sites[a])


@rows.register
def _(panel: Particles) -> Iterator[tuple]:
    """Particles, then the lines with both their ends."""
    yield "kind", "x, Å", "y, Å", "z, Å", panel.value, "x of the end, Å", "y, Å", "z, Å"
    for position, value in zip(panel.positions, panel.values, strict=True):
        yield "particle", *(float(v) for v in position), float(value) if np.isfinite(value) else "", "", "", ""
    for kind, (a, b) in zip(panel.kinds, panel.lines, strict=True):
        yield kind, *(float(v) for v in a), "", *(float(v) for v in b)
