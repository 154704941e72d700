"""How the figures on paper look: the colours of the page, thin axes, round ticks."""

from matplotlib.axis import Axis as PlotAxis
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.ticker import NullLocator

from mlff.report.axis import Axis, tick_text

COLOURS = ("#2563d9", "#d4501f", "#12876b", "#8148c8", "#b07a00", "#c22f80", "#64748b", "#5f8316")  # the light palette of style.css
LOOK = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.grid": True,
    "grid.color": "#e9edf1",
    "axes.axisbelow": True,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
}
PANEL = 3.1  # inch, the width of one panel
GUIDE = {"color": "#8794a3", "linestyle": (0, (4, 4)), "linewidth": 1}  # a line to compare with


def shades(colour: str) -> LinearSegmentedColormap:
    """From a tint of the colour, for one sample, to the colour, for many."""
    rgb = tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return LinearSegmentedColormap.from_list("shade", [(*rgb, 0.25), (*rgb, 1.0)])


def round_ticks(axis: PlotAxis) -> None:
    """Marks a logarithmic axis like the report does, with 20 and 50 in place of 2 × 10¹ and 5 × 10¹."""
    ticks = Axis("", *axis.get_view_interval(), log=True).ticks()
    axis.set_minor_locator(NullLocator())
    axis.set_ticks(ticks, labels=[tick_text(tick) for tick in ticks])
