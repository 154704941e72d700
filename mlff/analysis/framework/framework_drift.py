"""How far the framework has moved as a whole since the first frame, from positions that may be wrapped."""

import numpy as np
from numba import njit


class FrameworkDrift:
    """Where nothing takes up momentum, the whole crystal wanders, and a place in the cell means the same atom-wise only without that.

    Of each atom the image nearest to where it was, moved with the drift so far, is taken; so no atom may go further than half the cell
    from its place in the first frame, as atoms of a framework do not.

    Args:
        weights: (n_atoms,), of the mean over the atoms, masses of the framework and 0 for the mobile ions; None for no drift.
    """

    def __init__(self, weights: np.ndarray | None):
        weights = np.zeros(0) if weights is None else np.asarray(weights, float)
        if len(weights) and not weights.sum() > 0:
            raise ValueError("the weights of the drift sum to nothing, expected masses; give None to remove none")
        self.atoms = np.flatnonzero(weights)
        self.weights = weights[self.atoms] / weights.sum() if len(weights) else weights
        self.reference = np.zeros((0, 3))  # fractions in the first frame
        self.last = np.zeros(3)

    def update(self, positions: np.ndarray, inverses: np.ndarray) -> np.ndarray:
        """Of the next frames, (n_frames, 3), in units of the cell vectors.

        positions: (n_frames, n_atoms, 3), Å. inverses: (n_frames, 3, 3), of the cells.
        """
        drift = np.zeros((len(positions), 3))
        if len(self.atoms) and len(positions):
            if not len(self.reference):
                self.reference = positions[0, self.atoms] @ inverses[0]
            self.last = _follow(positions, inverses, self.atoms, self.weights, self.reference, self.last, drift)
        return drift

    def state(self) -> dict[str, np.ndarray]:
        return {"reference": self.reference.copy(), "last": self.last.copy()}

    def load(self, state: dict[str, np.ndarray]) -> None:
        self.reference, self.last = np.array(state["reference"]), np.array(state["last"])


def inverses_of(cells: np.ndarray) -> np.ndarray:
    """Of each cell, (n_frames, 3, 3): fractions are positions @ inverse.

    Raises:
        ValueError: a cell without volume.
    """
    cells = np.asarray(cells, float)
    if not (abs(np.linalg.det(cells)) > 0).all():
        raise ValueError("found a cell without volume, expected three cell vectors; give the cell of the simulation")
    if len(cells) > 1 and (cells == cells[0]).all():
        return np.repeat(np.linalg.inv(cells[:1]), len(cells), axis=0)
    return np.linalg.inv(cells)


@njit(cache=True, nogil=True)
def _follow(positions, inverses, atoms, weights, reference, last, drift):
    now = last.copy()
    total = np.zeros(3)
    for t in range(len(positions)):
        total[:] = 0.0
        for m in range(len(atoms)):
            r = positions[t, atoms[m]]
            for c in range(3):
                f = r[0] * inverses[t, 0, c] + r[1] * inverses[t, 1, c] + r[2] * inverses[t, 2, c] - reference[m, c] - now[c]
                total[c] += weights[m] * (f - np.floor(f + 0.5))
        now += total
        drift[t] = now
    return now
