"""Wrapped positions to continuous ones, in units of the cell vectors, with a whole number of cells for each atom and axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ase.geometry import complete_cell, minkowski_reduce

AMBIGUOUS = 0.4  # of a cell from frame to frame: at one half, both images are as near


@dataclass(frozen=True)
class Unwrapped:
    """Some frames.

    positions: (n_frames, n_atoms, 3), Å. cells: (n_frames, 3, 3), Å, without flips.
    moved: (n_frames, n_atoms), Å, from the frame before, at the same cell; 0 in the first frame of all.
    ambiguous: frames in which an atom moved so far that its image is a guess, (n,); and atoms that did the most, (n,).
    """

    positions: np.ndarray
    cells: np.ndarray
    moved: np.ndarray
    ambiguous: np.ndarray
    ambiguous_atoms: np.ndarray


class Unwrapper:
    """Follows atoms from frame to frame, some frames at a time.

    An atom is where its fractional coordinate changed least: the nearest whole number is taken off the change along each periodic axis.
    Fractions are of each frame's own cell, so that a cell that grows or shears moves nobody; and they are rounded in the reduced basis
    of the same lattice (Minkowski), whose vectors are the shortest, because in a skewed basis half a cell can be a short way.
    """

    def __init__(self, pbc: np.ndarray):
        self.pbc = np.asarray(pbc, bool)
        self._basis: np.ndarray | None = None  # (3, 3) whole numbers: reduced = basis @ cell
        self._fractions = self._images = self._cell = None  # of the last frame, in the reduced basis; the cell as it was read
        self._flip = np.eye(3)  # continuous cell = flip @ cell

    def __call__(self, positions: np.ndarray, cells: np.ndarray, wrapped: np.ndarray) -> Unwrapped:
        """The next frames.

        Args:
            positions: (n_frames, n_atoms, 3), Å; cells: (n_frames, 3, 3), Å.
            wrapped: (n_frames,) bool: whether the image of an atom is to be found from the frame before, or is as given.
        Raises:
            ValueError: a cell has no volume.
        """
        cells = self._without_flips(cells)
        reduced, fractions = self._reduced(positions, cells)
        if self._fractions is None:
            self._fractions, self._images = fractions[0], np.zeros_like(fractions[0])
        moved = np.diff(fractions, axis=0, prepend=self._fractions[None])
        whole = np.rint(moved)
        whole *= wrapped[:, None, None] & self.pbc
        moved -= whole
        far = np.abs(moved).max(axis=2, where=wrapped[:, None, None] & self.pbc, initial=0)
        ambiguous = np.flatnonzero(far.max(axis=1) > AMBIGUOUS)
        self._fractions = fractions[-1]
        if whole.any() or self._images.any():
            images = self._images - np.cumsum(whole, axis=0)
            positions = positions + images @ reduced
            self._images = images[-1]
        moved = moved @ reduced
        return Unwrapped(positions, cells, np.sqrt(np.einsum("fnx,fnx->fn", moved, moved)), ambiguous, far[ambiguous].argmax(axis=1))

    def moved_to(self, positions: np.ndarray, cell: np.ndarray) -> float:
        """How far the farthest atom of a next frame, (n_atoms, 3), is from where it is now, in the nearest image, Å."""
        reduced, fractions = self._reduced(positions[None], np.asarray(cell)[None])
        change = fractions[0] - self._fractions
        change -= np.rint(change) * self.pbc
        return float(np.linalg.norm(change @ reduced[0], axis=1).max())

    def _reduced(self, positions: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(cells in the reduced basis, positions in units of them); axes without a vector get one that is perpendicular to the others."""
        if not self.pbc.all():
            cells = np.stack([complete_cell(cell) for cell in cells])
        volumes = np.abs(np.linalg.det(cells))
        if not (volumes > 1e-6).all():
            raise ValueError(
                f"found a cell of {volumes.min():.3g} Å³ that is periodic along {''.join(np.array(list('abc'))[self.pbc])}, expected one "
                "with a volume; the file has no cell, or calls an axis periodic that is not"
            )
        if self._basis is None:
            self._basis = np.array(minkowski_reduce(cells[0], self.pbc)[1], float)
        reduced = self._basis @ cells
        return reduced, positions @ np.linalg.inv(reduced)

    def _without_flips(self, cells: np.ndarray) -> np.ndarray:
        """The same lattices by vectors that change little from frame to frame.

        LAMMPS exchanges a strongly tilted box for a less tilted one of the same lattice (`fix npt … flip yes`), at which fractions jump.
        """
        cells = np.asarray(cells, float)
        if not self.pbc.all():
            return cells
        before = np.concatenate([cells[:1] if self._cell is None else self._cell[None], cells[:-1]])
        self._cell = cells[-1]
        if not np.linalg.det(before).all() or not np.linalg.det(cells).all():
            return cells  # told in the next step
        turns = np.rint(cells @ np.linalg.inv(before))
        turns[np.abs(np.abs(np.linalg.det(turns)) - 1) > 1e-6] = np.eye(3)  # not the same lattice
        if (turns == np.eye(3)).all() and (self._flip == np.eye(3)).all():
            return cells
        continuous = np.empty_like(cells)
        for k, turn in enumerate(turns):
            self._flip = np.rint(self._flip @ np.linalg.inv(turn))
            continuous[k] = self._flip @ cells[k]
        return continuous
