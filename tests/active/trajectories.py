"""Explored trajectories made by hand."""

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from mlff.active.explored import FINISHED, Condition, Explored
from mlff.active.judge import Judged, judge
from mlff.uncertainty import Levels

LEVELS = Levels(0.1, 0.3)  # eV/Å


def sound(name: str, step: int) -> Atoms:
    """LiCl of rock salt, whose atoms move a little from step to step."""
    grid = np.array([[i, j, k] for i in range(2) for j in range(2) for k in range(2)])
    symbols = ["Li" if point.sum() % 2 else "Cl" for point in grid]
    positions = 2.57 * grid + 0.05 * np.sin(step + np.arange(24).reshape(8, 3))
    atoms = Atoms(symbols, positions=positions, cell=[5.14] * 3, pbc=True)
    atoms.info = {"trajectory": name, "step": step}
    return atoms


def explored(
    n: int, name: str = "a", condition: Condition | None = None, every: int = 10, n_planned: int | None = None, ending: str = FINISHED
) -> Explored:
    """n frames, `every` steps of 2 fs apart."""
    steps = every * np.arange(1, n + 1)
    frames = [sound(name, step) for step in steps.tolist()]
    return Explored(name, condition or Condition("licl", 300.0), frames, steps, 2.0, n_planned or n, ending)


def judged(values: Sequence[float], levels: Levels = LEVELS, **options) -> Judged:
    """A trajectory with these uncertainties."""
    values = np.array(values, float)
    return judge(explored(len(values), **options), values, values, levels)
