"""Which of many frames to label next: rankings that change as frames are taken."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

MOST_REFERENCES = 4000  # atoms of one element that a distance is measured to; a random draw of more serves as well


class Ranking(Protocol):
    """Of a pool of frames."""

    def scores(self) -> np.ndarray:
        """(n_frames,): the larger, the more is learnt from the frame after all that were taken."""

    def take(self, frame: int) -> None:
        """Frame `frame` of the pool will be labelled."""


class Random:
    """In an order drawn once, as DP-GEN draws its candidates."""

    def __init__(self, n_frames: int, rng: np.random.Generator):
        self._scores = rng.permutation(n_frames).astype(float)

    def scores(self) -> np.ndarray:
        return self._scores

    def take(self, frame: int) -> None:
        pass


class Uncertain(Random):
    """The most uncertain first."""

    def __init__(self, values: np.ndarray):
        self._scores = np.asarray(values, float)


class FarthestPoint:
    """The frame first that holds the atom farthest, in features, from every atom of its element that was trained on or taken.

    Args:
        features: of each frame of the pool, (n_atoms, n_features). symbols: of its atoms, (n_atoms,).
        known: of the training atoms, by element, (n_known, n_features).

    Distances are in units of the spread of the known atoms of the element: elements have features of their own scale.
    """

    def __init__(
        self,
        features: Sequence[np.ndarray],
        symbols: Sequence[np.ndarray],
        known: Mapping[str, np.ndarray],
        rng: np.random.Generator,
    ):
        self._frame = np.concatenate([np.full(len(rows), k) for k, rows in enumerate(features)])
        self._symbols, rows = np.concatenate(symbols), np.concatenate(features)
        self._n_frames, self._rows = len(features), np.empty_like(rows)
        self._nearest = np.full(len(rows), np.inf)
        for symbol in np.unique(self._symbols).tolist():
            of, reference = self._symbols == symbol, known.get(symbol)
            if reference is None or len(reference) < 2:
                self._rows[of] = rows[of] / (np.abs(rows[of]).max() or 1.0)
                continue
            if len(reference) > MOST_REFERENCES:
                reference = reference[rng.choice(len(reference), MOST_REFERENCES, replace=False)]
            spread = np.sqrt(reference.var(0).sum()) or 1.0
            self._rows[of] = rows[of] / spread
            self._nearest[of] = nearest_distance(self._rows[of], reference / spread)

    def scores(self) -> np.ndarray:
        found = np.full(self._n_frames, -np.inf)
        np.maximum.at(found, self._frame, self._nearest)
        return found

    def take(self, frame: int) -> None:
        for symbol in np.unique(self._symbols[self._frame == frame]).tolist():
            of = np.flatnonzero(self._symbols == symbol)
            new = self._rows[of[self._frame[of] == frame]]
            self._nearest[of] = np.minimum(self._nearest[of], nearest_distance(self._rows[of], new))


class MaxVol:
    """The largest extrapolation grade first; what is taken enters the active set, and the others are graded against it.

    An atom b of grade γ = |c_j| takes the place of the j-th of the active set, c = b A⁻¹; the coefficients of all others follow:
    Goreinov et al., How to find a good submatrix (2010); Podryabinkin and Shapeev, Comput. Mater. Sci. 140, 171 (2017).

    Args:
        features: of each frame of the pool, (n_atoms, n_features). symbols: of its atoms, (n_atoms,).
        inverses: A⁻¹ by element, (n_features, n_features).
    """

    def __init__(self, features: Sequence[np.ndarray], symbols: Sequence[np.ndarray], inverses: Mapping[str, np.ndarray]):
        frame = np.concatenate([np.full(len(rows), k) for k, rows in enumerate(features)])
        every, rows = np.concatenate(symbols), np.concatenate(features)
        self._n_frames, self._of, self._coefficients = len(features), {}, {}
        for symbol in np.unique(every).tolist():
            self._of[symbol] = frame[every == symbol]
            self._coefficients[symbol] = rows[every == symbol] @ inverses[symbol]

    def scores(self) -> np.ndarray:
        found = np.zeros(self._n_frames)
        for symbol, coefficients in self._coefficients.items():
            np.maximum.at(found, self._of[symbol], np.abs(coefficients).max(1))
        return found

    def take(self, frame: int) -> None:
        for symbol, coefficients in self._coefficients.items():
            own = np.flatnonzero(self._of[symbol] == frame)
            for _ in own:  # an atom enters once at most
                row, column = np.unravel_index(np.abs(coefficients[own]).argmax(), (len(own), coefficients.shape[1]))
                pivot = coefficients[own[row], column]
                if abs(pivot) <= 1:
                    break
                entering = coefficients[own[row]].copy()
                entering[column] -= 1.0
                coefficients -= np.outer(coefficients[:, column] / pivot, entering)


def nearest_distance(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """From each point, (n, d), to the nearest of the others, (m, d); (n,)."""
    squares, found = np.square(others).sum(1), np.empty(len(points))
    for start in range(0, len(points), 1024):  # so that no table of distances outgrows the memory
        block = points[start : start + 1024]
        table = np.square(block).sum(1)[:, None] - 2 * block @ others.T + squares
        found[start : start + 1024] = np.sqrt(np.maximum(table.min(1), 0.0))
    return found
