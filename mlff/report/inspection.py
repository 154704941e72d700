"""One picture of a data set: energies, forces, pressures, shortest distances, and the frames that stand apart."""

from pathlib import Path

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from mlff.data.inspection import TOO_SHORT, Inspection
from mlff.report.look import COLOURS, LOOK, PANEL
from mlff.units import TO_MILLI

MAX_BINS = 60
WARNING = COLOURS[1]


def draw_inspection(found: Inspection, path: str | Path, *, title: str = "", dpi: int = 160) -> Path:
    """Write six panels to `path` (its suffix chooses the format); returns the path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    panels = (_energies, _forces, _pressures, _force_energy, _distances, _sizes)
    with rc_context(LOOK):
        figure = Figure(figsize=(3 * 1.25 * PANEL, 2 * PANEL), layout="constrained")
        FigureCanvasAgg(figure)  # no pyplot: no window, no global state
        figure.suptitle(f"{title}: {found.n_frames:,} frames of {', '.join(found.species)}", fontweight="bold")
        for panel, axes in zip(panels, figure.subplots(2, 3).ravel(), strict=True):
            panel(axes, found)
        figure.savefig(path, dpi=dpi)
    return path


def _bins(n: int) -> int:
    """As many as n values fill."""
    return int(np.clip(2 * np.cbrt(n), 8, MAX_BINS))


def _histogram(axes: Axes, values: np.ndarray, label: str) -> None:
    known = values[~np.isnan(values)]
    if not len(known):
        axes.text(0.5, 0.5, "no labels", ha="center", va="center", transform=axes.transAxes, color="#64748b")
        axes.set_xticks([])
        axes.set_yticks([])
    else:
        axes.hist(known, bins=_bins(len(known)), color=COLOURS[0])
        axes.set_ylabel("frames")
    axes.set_xlabel(label)


def _energies(axes: Axes, found: Inspection) -> None:
    axes.set_title("Energy after E0")
    _histogram(axes, TO_MILLI * found.energy_residual, "meV/atom")


def _pressures(axes: Axes, found: Inspection) -> None:
    axes.set_title("Pressure")
    _histogram(axes, found.pressure, "GPa")


def _forces(axes: Axes, found: Inspection) -> None:
    axes.set_title("Force components")
    largest = max((np.abs(f).max() for f in found.forces.values() if len(f)), default=1.0)
    edges = np.linspace(-largest, largest, 2 * _bins(min((len(f) for f in found.forces.values() if len(f)), default=1)) + 1)
    for k, (symbol, forces) in enumerate(found.forces.items()):
        if len(forces):
            density, _ = np.histogram(forces, edges, density=True)
            middle = 0.5 * (edges[1:] + edges[:-1])
            axes.plot(middle[density > 0], density[density > 0], color=COLOURS[k % len(COLOURS)], label=symbol)
    axes.set_yscale("log")
    axes.set_xlabel("eV/Å")
    axes.set_ylabel("density, Å/eV")
    if any(len(f) for f in found.forces.values()):
        axes.legend()


def _force_energy(axes: Axes, found: Inspection) -> None:
    """A frame that is wrong in one label stands apart here."""
    axes.set_title("Each frame")
    energy = TO_MILLI * found.energy_residual
    axes.scatter(found.force_rms, energy, s=6, color=COLOURS[0], alpha=0.4, linewidths=0)
    apart = sorted({outlier.position for outlier in found.outliers})
    if apart:
        axes.scatter(found.force_rms[apart], energy[apart], s=26, facecolors="none", edgecolors=WARNING, label=f"{len(apart)} outliers")
        axes.legend()
    axes.set_xlabel("root mean square force, eV/Å")
    axes.set_ylabel("energy after E0, meV/atom")


def _distances(axes: Axes, found: Inspection) -> None:
    axes.set_title("Shortest distances")
    pairs = list(found.shortest)[::-1]
    distance = np.array([found.shortest[pair][0] for pair in pairs])
    limit = np.array([TOO_SHORT * sum(covalent_radii[atomic_numbers[s]] for s in pair) for pair in pairs])
    colours = [WARNING if d < least else COLOURS[2] for d, least in zip(distance, limit, strict=True)]
    rows = np.arange(len(pairs))
    axes.barh(rows, distance, color=colours, height=0.6)
    axes.plot(limit, rows, "|", color="#334155", markersize=9, markeredgewidth=2, label="too short below")
    axes.set_yticks(rows, [f"{one}–{other}" for one, other in pairs])
    axes.set_xlabel("Å")
    axes.grid(False, axis="y")
    if pairs:
        axes.set_xlim(0, 1.5 * distance.max())
        axes.legend(loc="upper right")


def _sizes(axes: Axes, found: Inspection) -> None:
    axes.set_title("Compositions")
    names = list(found.compositions)[:10][::-1]
    counts = [found.compositions[name] for name in names]
    rest = len(found.compositions) - len(names)
    axes.barh(range(len(names)), counts, color=COLOURS[3], height=0.6)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("frames" + (f" ({rest} more compositions)" if rest else ""))
    axes.grid(False, axis="y")
