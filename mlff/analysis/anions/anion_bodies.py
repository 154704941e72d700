"""Polyatomic anions of one kind together, put in one piece in every frame, wherever the boundary cuts them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from mlff.geometry.bonds import CENTRES
from mlff.geometry.topology import Anion


@dataclass(frozen=True, eq=False)
class Bodies:
    """Anions of one kind, each walked along its bonds from its first centre.

    kind: the formula, "PS4".
    atoms: (n_bodies, n) int64, in the order of the walk.
    parents: (n_bodies, n) int64, place in `atoms` of the bonded atom that each was reached from, which comes before it; 0 for the first.
    bonds: (n_bodies, n_bonds, 2) int64, places of centre and ligand of every bond between the two.
    axis: (n_bodies, 2) int64, places of the two centres on the anion's axis: the only two (P2S6, P2S7), or the two of a cage that are
        bonded to the fewest others (the poles of B10H10). None where more are alike (B12H12), or one stands alone (PS4).
    """

    kind: str
    atoms: np.ndarray
    parents: np.ndarray
    bonds: np.ndarray
    axis: np.ndarray | None

    def __len__(self) -> int:
        return len(self.atoms)

    def place(self, positions: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """(n_frames, n_bodies, n, 3), Å, from the first atom of each: every bond is the shortest of its images, in any cell.

        Args:
            positions: (n_frames, n_atoms, 3), Å, wrapped or not. cells: (n_frames, 3, 3) rows, Å.
        Raises:
            ValueError: a cell without volume, or a position that is not finite.
        """
        positions, cells = checked(positions, cells)
        placed = np.zeros((len(positions), *self.atoms.shape, 3))
        _place(positions, cells, self.atoms, self.parents, placed)
        return placed


def bodies_of(anions: Sequence[Anion], numbers: np.ndarray) -> list[Bodies]:
    """By kind, in the order of the alphabet; numbers: atomic numbers of all atoms."""
    of_kind: dict[str, list[Anion]] = defaultdict(list)
    for anion in anions:
        of_kind[anion.kind].append(anion)
    return [_together(kind, of_kind[kind], numbers) for kind in sorted(of_kind)]


def checked(positions: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as kernels take them.

    Raises:
        ValueError: a cell without volume, or a position that is not finite.
    """
    if not (np.abs(np.linalg.det(cells)) > 0).all():
        raise ValueError("a cell has no volume, expected three cell vectors in every frame; give the cell of the simulation")
    if not np.isfinite(positions).all():
        raise ValueError("found a position that is not finite, expected Å; look at the frame, or at the timestep of the run that made it")
    return np.ascontiguousarray(positions, float), np.ascontiguousarray(cells, float)


def _together(kind: str, anions: list[Anion], numbers: np.ndarray) -> Bodies:
    walks = [_walk(anion, np.isin(numbers[anion.atoms], CENTRES)) for anion in anions]
    atoms, parents, bonds, axes = zip(*walks, strict=True)
    axis = None if any(each is None for each in axes) else np.stack(axes)
    return Bodies(kind, np.stack(atoms), np.stack(parents), np.stack(bonds), axis)


def _walk(anion: Anion, is_centre: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
    neighbours = [[] for _ in anion.atoms]
    for i, j in anion.bonds.tolist():
        neighbours[i].append(j)
        neighbours[j].append(i)
    walk, parent = [0], {0: 0}
    for i in walk:  # grows while it is walked
        for j in neighbours[i]:
            if j not in parent:
                parent[j] = i
                walk.append(j)
    place = np.argsort(walk)
    mixed = anion.bonds[is_centre[anion.bonds].sum(1) == 1]
    mixed = np.where(is_centre[mixed[:, :1]], mixed, mixed[:, ::-1])
    centres = np.flatnonzero(is_centre)
    partners = np.array([sum(is_centre[j] for j in neighbours[i]) for i in centres])
    poles = centres[partners == partners.min()]
    axis = place[poles] if len(poles) == 2 else None
    return anion.atoms[walk], place[[parent[i] for i in walk]], place[mixed], axis


@njit(cache=True, nogil=True)
def _shortest(x, y, z, cell, inverse, heights):
    """The shortest image of a vector. One below half the least height of the cell is the shortest; else all that could be are looked at."""
    a = x * inverse[0, 0] + y * inverse[1, 0] + z * inverse[2, 0]
    b = x * inverse[0, 1] + y * inverse[1, 1] + z * inverse[2, 1]
    c = x * inverse[0, 2] + y * inverse[1, 2] + z * inverse[2, 2]
    a, b, c = a - np.rint(a), b - np.rint(b), c - np.rint(c)
    x = a * cell[0, 0] + b * cell[1, 0] + c * cell[2, 0]
    y = a * cell[0, 1] + b * cell[1, 1] + c * cell[2, 1]
    z = a * cell[0, 2] + b * cell[1, 2] + c * cell[2, 2]
    best = x * x + y * y + z * z
    if 4 * best < min(heights[0], heights[1], heights[2]) ** 2:
        return x, y, z
    reach = np.sqrt(best)  # a vector no longer than this has fractions below reach / height
    for i in range(int(np.ceil(-reach / heights[0] - a)), int(np.floor(reach / heights[0] - a)) + 1):
        for j in range(int(np.ceil(-reach / heights[1] - b)), int(np.floor(reach / heights[1] - b)) + 1):
            for k in range(int(np.ceil(-reach / heights[2] - c)), int(np.floor(reach / heights[2] - c)) + 1):
                u = (a + i) * cell[0, 0] + (b + j) * cell[1, 0] + (c + k) * cell[2, 0]
                v = (a + i) * cell[0, 1] + (b + j) * cell[1, 1] + (c + k) * cell[2, 1]
                w = (a + i) * cell[0, 2] + (b + j) * cell[1, 2] + (c + k) * cell[2, 2]
                if u * u + v * v + w * w < best:
                    best = u * u + v * v + w * w
                    x, y, z = u, v, w
    return x, y, z


@njit(cache=True, nogil=True)
def _place(positions, cells, atoms, parents, placed):
    inverse, heights = np.empty((3, 3)), np.empty(3)
    for t in range(len(positions)):
        inverse[:] = np.linalg.inv(cells[t])
        for k in range(3):
            heights[k] = 1 / np.sqrt((inverse[:, k] ** 2).sum())
        for body in range(atoms.shape[0]):
            for k in range(1, atoms.shape[1]):
                parent = parents[body, k]
                here, there = positions[t, atoms[body, k]], positions[t, atoms[body, parent]]
                x, y, z = _shortest(here[0] - there[0], here[1] - there[1], here[2] - there[2], cells[t], inverse, heights)
                placed[t, body, k, 0] = placed[t, body, parent, 0] + x
                placed[t, body, k, 1] = placed[t, body, parent, 1] + y
                placed[t, body, k, 2] = placed[t, body, parent, 2] + z
