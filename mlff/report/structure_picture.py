"""A picture of a structure: atoms seen along x, y and z, with the bonds of anions and the outline of the cell."""

from itertools import product
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols, covalent_radii
from ase.data.colors import jmol_colors
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import EllipseCollection, LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mlff.geometry.bonds import half_bonds
from mlff.report.look import LOOK

VIEWS = {"along x": (1, 2, 0), "along y": (0, 2, 1), "along z": (0, 1, 2)}  # to the right, upwards, towards the eye
RADIUS = 0.4  # of the covalent radius: neighbours stay apart
BOND = 0.16  # Å, the width of a bond
ASLANT = (0.10, 0.06)  # to the right and upwards for each Å towards the eye, so that atoms of a column are seen apart
HEIGHT = 4.6  # inch, of the tallest view
WIDEST = 16.0  # inch, of the picture


def write_structure_picture(path: str | Path, atoms: Atoms, title: str, *, dpi: int = 120) -> Path:
    """A PNG of three views side by side, all at one scale; atoms as they lie, far ones behind and paler. Returns the path.

    Along the Cartesian axes, a little aslant.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    corners = np.array(list(product((0, 1), repeat=3))) @ atoms.cell.array
    seen = [_projected(np.concatenate([atoms.positions, corners]), view) for view in VIEWS.values()]
    low, high = np.array([s.min(0) - 1 for s in seen]), np.array([s.max(0) + 1 for s in seen])
    widths, tallest = (high - low)[:, 0], (high - low)[:, 1].max()
    scale = min(HEIGHT / tallest, WIDEST / widths.sum())  # inch/Å
    size = (max(scale * widths.sum(), 6.0) + 0.6, scale * tallest + 1.0)
    bonds, width = half_bonds(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)[0], 72 * scale * BOND
    with rc_context(LOOK):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(1, 3, width_ratios=widths, squeeze=True)
        for where, (name, view), least, most in zip(axes, VIEWS.items(), low, high, strict=True):
            _draw(where, atoms, view, bonds, width)
            where.set(title=name, xlim=(least[0], most[0]), ylim=(least[1], most[1]), aspect="equal")
            where.set_axis_off()
        figure.suptitle(title, fontsize=10)
        elements = sorted(set(atoms.numbers.tolist()))
        marks = [Line2D([], [], marker="o", linestyle="", color=jmol_colors[z], markeredgecolor="#33393f") for z in elements]
        figure.legend(marks, [chemical_symbols[z] for z in elements], loc="outside lower center", ncols=len(elements))
        figure.savefig(path, dpi=dpi)
    return path


def _projected(points: np.ndarray, view: tuple[int, int, int]) -> np.ndarray:
    """(…, 2), Å, of points (…, 3)."""
    right, up, towards = view
    return points[..., [right, up]] + points[..., [towards]] * ASLANT


def _draw(axes: Axes, atoms: Atoms, view: tuple[int, int, int], bonds: np.ndarray, width: float) -> None:
    towards = view[2]
    order = np.argsort(atoms.positions[:, towards])
    numbers, depth = atoms.numbers[order], atoms.positions[order, towards]
    near = (depth - depth.min()) / max(np.ptp(depth), 1e-9)
    colours = jmol_colors[numbers]
    colours = 1 - (1 - colours) * (0.35 + 0.65 * near)[:, None]
    diameters = 2 * RADIUS * covalent_radii[numbers]
    axes.add_collection(LineCollection(_projected(bonds, view), colors="#8b8f63", linewidths=width, zorder=1))
    axes.add_collection(
        EllipseCollection(
            diameters,
            diameters,
            np.zeros(len(order)),
            units="xy",
            offsets=_projected(atoms.positions[order], view),
            offset_transform=axes.transData,
            facecolors=colours,
            edgecolors="#33393f",
            linewidths=0.3,
            zorder=2,
        )
    )
    edges = [(a, b) for a in product((0, 1), repeat=3) for b in product((0, 1), repeat=3) if a < b and sum(np.abs(np.subtract(a, b))) == 1]
    lines = np.array(edges, float) @ atoms.cell.array
    axes.add_collection(LineCollection(_projected(lines, view), colors="#64748b", linewidths=0.8, zorder=0))
