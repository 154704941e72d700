"""Displacements of chosen atoms in the lattice frame: free of what the cell does, and of a common drift."""

import numpy as np
from numba import njit

from mlff.analysis.statistics.even_steps import count_steps
from mlff.trajectory import Frames

STORED = ("start", "cell", "cell_sum", "clock", "first_step")


class LatticeFrame:
    """Displacements from the first frame: the change of the fractional coordinates times the first cell, less the drift.

    Where the cell fluctuates, r(t) − r(0) grows with an atom's distance from the corner of the cell; the change of its fractional
    coordinates does not. The first cell stands for the mean one, so that lengths are off by the strain between the two.

    Args:
        atoms: (n,) indices.
        drift: (n_atoms,) weights, whose weighted mean displacement is taken from every displacement; None: nothing is.
    """

    def __init__(self, atoms: np.ndarray, drift: np.ndarray | None = None):
        self.atoms = np.asarray(atoms, np.int64)
        if not len(self.atoms):
            raise ValueError("found no atoms to follow, expected at least one; choose a species that the structure has")
        weights = np.zeros(0) if drift is None else np.asarray(drift, float)
        if drift is not None and not weights.sum() > 0:
            raise ValueError("the weights of the drift sum to nothing, expected masses; give drift=None to remove none")
        self.drift = weights / weights.sum() if len(weights) else weights
        self.start = np.zeros((0, 3))  # positions of all atoms in the first frame
        self.cell, self.cell_sum = np.zeros((3, 3)), np.zeros((3, 3))  # of the first frame; of what the others differ from it
        self.clock = np.zeros(3, np.int64)  # frames seen, step of the last, steps between frames
        self.first_step = np.zeros((), np.int64)

    @property
    def seen(self) -> int:
        """Frames."""
        return int(self.clock[0])

    @property
    def interval(self) -> int:
        """Steps from frame to frame; 0 before there are two."""
        return int(self.clock[2])

    @property
    def mean_cell(self) -> np.ndarray:
        """(3, 3), Å."""
        return self.cell + self.cell_sum / max(1, self.seen)

    def step(self, frame: np.ndarray | int) -> np.ndarray:
        """Of the frames numbered from 0."""
        return self.first_step + np.asarray(frame, np.int64) * self.interval

    def displacements(self, frames: Frames) -> np.ndarray:
        """Of the next frames, (n_frames, n, 3), Å; they do not depend on how the frames come in chunks.

        Raises:
            ValueError: frames not evenly spaced, a cell without volume, or another number of atoms.
        """
        if not len(frames):
            return np.zeros((0, len(self.atoms), 3))
        positions, cells = np.asarray(frames.positions, float), np.asarray(frames.cells, float)
        self._check(frames.steps, positions, cells)
        turn = np.broadcast_to(np.eye(3), cells.shape)
        if (cells != self.cell).any():  # r → fractional → the first cell; exactly nothing where it is the first cell
            turn = np.linalg.solve(cells, np.broadcast_to(self.cell, cells.shape))
            turn[(cells == self.cell).all(axis=(1, 2))] = np.eye(3)
            for cell in cells:  # one by one, so that chunks do not matter
                self.cell_sum = self.cell_sum + (cell - self.cell)
        u = np.empty((len(frames), len(self.atoms), 3))
        _displace(np.ascontiguousarray(positions), np.ascontiguousarray(turn), self.start, self.atoms, self.drift, u)
        return u

    def settings(self) -> dict[str, np.ndarray]:
        return {"atoms": self.atoms, "drift": self.drift}

    def state(self) -> dict[str, np.ndarray]:
        """Its arrays by name, copied."""
        return {name: np.array(getattr(self, name)) for name in STORED}

    def load(self, state: dict[str, np.ndarray]) -> None:
        for name in STORED:
            setattr(self, name, np.array(state[name]))

    def _check(self, steps: np.ndarray, positions: np.ndarray, cells: np.ndarray) -> None:
        if not self.clock[0]:
            if not abs(np.linalg.det(cells[0])) > 0:
                raise ValueError("the first frame's cell has no volume, expected three cell vectors; give the cell of the simulation")
            self.start, self.cell, self.first_step = positions[0].copy(), cells[0].copy(), np.array(steps[0], np.int64)
        if positions.shape[1:] != self.start.shape:
            raise ValueError(f"found frames of {positions.shape[1]} atoms after frames of {len(self.start)}; give frames of one run")
        if len(self.drift) not in (0, len(self.start)):
            raise ValueError(f"drift has {len(self.drift)} weights for {len(self.start)} atoms; give one weight per atom")
        count_steps(self.clock, steps, "frames")


@njit(cache=True, nogil=True)
def _displace(positions, turn, start, atoms, drift, u):
    for t in range(len(positions)):
        q, common = turn[t], np.zeros(3)
        for k in range(len(drift)):
            if drift[k] != 0.0:
                x, y, z = positions[t, k]
                for c in range(3):
                    common[c] += drift[k] * (x * q[0, c] + y * q[1, c] + z * q[2, c] - start[k, c])
        for n in range(len(atoms)):
            k = atoms[n]
            x, y, z = positions[t, k]
            for c in range(3):
                u[t, n, c] = x * q[0, c] + y * q[1, c] + z * q[2, c] - start[k, c] - common[c]
