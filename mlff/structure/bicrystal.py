"""Two grains of one crystal in a periodic cell, one above the other."""

from dataclasses import replace

import numpy as np
from ase.cell import Cell

from mlff.structure.bodies import Bodies
from mlff.structure.coincidence import BoundaryCell

SAME_BOX = 1e-3  # relative, of the two grains' periods


def box_of(cell: np.ndarray, period: BoundaryCell) -> np.ndarray:
    """One period, (3, 3) rows, Å: the boundary in x and y, its normal along z.

    Raises:
        ValueError: in this crystal the periods of the two grains differ, or the normal of the plane is none of its box.
    """
    first, second = (matrix @ cell @ cell.T @ matrix.T for matrix in (period.first, period.second))
    lengths = np.sqrt(np.diag(first))
    if (abs(first - second) > SAME_BOX * np.outer(lengths, lengths)).any() or (
        abs(first[2, :2]) > SAME_BOX * lengths[2] * lengths[:2]
    ).any():
        raise ValueError(
            f"found a crystal of {np.round(Cell(cell).cellpar(), 3).tolist()} (Å and degrees), which a turn by {period.rotation.angle:.2f} "
            "degrees does not bring to coincidence; give a cubic crystal, or a tetragonal one with axis [001] and plane (001) or (hk0)"
        )
    a, b, c = lengths
    along = first[0, 1] / a
    return np.array([[a, 0, 0], [along, np.sqrt(b**2 - along**2), 0], [0, 0, c]])


def grain(whole: Bodies, cell: np.ndarray, matrix: np.ndarray, box: np.ndarray, move: np.ndarray) -> Bodies:
    """A crystal in a box, by whole bodies.

    Args:
        whole: of one cell of the crystal. cell: (3, 3) rows, Å, that cell.
        matrix: (3, 3) int rows, the box in its lattice vectors. box: (3, 3) rows, Å, the box as it shall lie.
        move: (3,), fractions of the box, by which the crystal is moved in it; the centres of the bodies lie inside.
    """
    lowest, highest = np.minimum(matrix, 0).sum(0), np.maximum(matrix, 0).sum(0)
    steps = np.stack(np.meshgrid(*[np.arange(a, b) for a, b in zip(lowest, highest, strict=True)], indexing="ij"), -1).reshape(-1, 3)
    # whole numbers, because a step on the face of the box belongs to one side of it
    determinant = round(np.linalg.det(matrix))
    adjugate = np.round(np.linalg.inv(matrix) * determinant).astype(np.int64)
    steps = steps[((steps @ adjugate >= 0) & (steps @ adjugate < determinant)).all(1)]
    assert len(steps) == determinant, f"found {len(steps)} cells, expected {determinant}"
    count = len(whole.kinds)
    every = whole.chosen(np.tile(np.arange(count), determinant))
    turn = np.linalg.solve(matrix @ cell, box)  # from the crystal's Cartesian axes to the box's
    arms = (every.positions - every.centres()[every.of_atom]) @ turn
    fractions = (every.centres() @ np.linalg.inv(cell) + np.repeat(steps, count, axis=0)) @ np.linalg.inv(matrix) + move
    centres = (np.round(fractions, 9) % 1) @ box
    return replace(every, positions=centres[every.of_atom] + arms)


def stacked(grains: tuple[Bodies, Bodies], box: np.ndarray, gap: float) -> tuple[Bodies, np.ndarray]:
    """Both grains, one above the other, half a gap away from the boundaries; and their cell."""
    first, second = grains
    height = box[2, 2] + gap
    positions = [first.positions + [0, 0, gap / 2], second.positions + [0, 0, height + gap / 2]]
    both = Bodies(
        np.concatenate([first.numbers, second.numbers]),
        np.concatenate(positions),
        np.concatenate([first.of_atom, len(first.kinds) + second.of_atom]),
        np.concatenate([first.kinds, second.kinds]),
    )
    return both, np.array([box[0], box[1], [0, 0, 2 * height]])
