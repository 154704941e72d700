"""How far two frames of one trajectory lie apart, and the work their forces say lies between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from mlff.data.frame import Frame


def trajectories(frames: Iterable[Frame]) -> dict[tuple[str, str], list[int]]:
    """(source, trajectory) → positions in `frames`, in order of index."""
    groups: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for position, frame in enumerate(frames):
        groups[frame.source, str(frame.info.get("trajectory", ""))].append((frame.index, position))
    return {key: [position for _, position in sorted(members)] for key, members in groups.items()}


def fractional(frame: Frame) -> np.ndarray:
    """Positions in units of the cell where it is periodic, in Å where not; (n, 3)."""
    from ase.geometry import complete_cell

    if not frame.pbc.any():
        return frame.positions
    return np.linalg.solve(complete_cell(frame.cell).T, frame.positions.T).T


def displacement(before: np.ndarray, after: np.ndarray, pbc: np.ndarray) -> np.ndarray:
    """Shortest fractional displacements without the drift of the whole, (..., n, 3)."""
    shift = after - before
    shift -= np.where(pbc, np.round(shift), 0.0)
    return shift - shift.mean(axis=-2, keepdims=True)


def rms_displacements(frame: Frame, others: Sequence[Frame]) -> np.ndarray:
    """Root mean square displacement per atom from `frame` to each other one, (len(others),), Å. All must hold the same atoms in order."""
    from ase.geometry import complete_cell

    shift = displacement(fractional(frame), np.stack([fractional(other) for other in others]), frame.pbc)
    if frame.pbc.any():
        shift = shift @ complete_cell(frame.cell)
    return np.sqrt(np.square(shift).sum(axis=-1).mean(axis=-1))


def work_between(before: Frame, after: Frame) -> float | None:
    """Energy difference that the forces (and stresses, where the cell changes) predict by the trapezoid rule, eV.

    −Σ ½(F₁ + F₂)·Δr + ½(V₁σ₁ + V₂σ₂):ε, exact for a harmonic crystal however far the two frames lie apart.
    None where the cell changes and a stress is missing.
    """
    if not before.pbc.any():
        return float(-0.5 * np.sum((before.forces + after.forces) * displacement(before.positions, after.positions, before.pbc)))
    from ase.geometry import complete_cell

    cells = complete_cell(before.cell), complete_cell(after.cell)
    mean_cell = 0.5 * (cells[0] + cells[1])
    shift = displacement(fractional(before), fractional(after), before.pbc) @ mean_cell
    work = -0.5 * np.sum((before.forces + after.forces) * shift)
    if np.allclose(cells[0], cells[1], atol=1e-6):
        return float(work)
    if before.stress is None or after.stress is None:
        return None
    strain = np.linalg.solve(mean_cell, cells[1] - cells[0])
    return float(work + 0.5 * np.sum((before.volume * before.stress + after.volume * after.stress) * strain))
