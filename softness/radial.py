"""Radial structure functions: how much of each species lies at each distance from an atom, as Gaussians on a ladder of distances."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from mlff.geometry import close_pairs

TAIL = 8.0  # widths δ of a Gaussian that are counted: exp(−32) is 1e-14
NORMALISATIONS = ("two_sigma2", "L2")


@dataclass(frozen=True)
class RadialFunctions:
    """G(i; μ, X) = Σ_{j in X} exp(−(r_ij − μ)² / 2δ²) over neighbours nearer than the cutoff (papers 004; Cubuk et al., Phys. Rev. Lett.
    114, 108001, 2015).

    Of a crystal in a cell of any shape, and of any cutoff: all images of an atom count. The values are columns of one block for each
    neighbour species, in the order given, and in each block by μ.

    Args:
        neighbour_species: chemical symbols of the blocks: the mobile ion alone, or all species (papers 004 says both).
        first, last, step: Å, of μ. width: Å, δ, or L of the other form.
        normalisation: "two_sigma2", exp(−(r − μ)²/2δ²); "L2", exp(−(r − μ)²/L²) as other papers write it: L = √2 δ.
        cutoff: "sharp" at last + 4δ, where the last Gaussian has fallen to 3e-4; or "smooth": each neighbour counts by
            ½(1 + cos πr/r_cut), so that the functions are differentiable.
    """

    neighbour_species: Sequence[str]
    first: float = 2.0
    last: float = 8.0
    step: float = 0.2
    width: float = 0.2
    normalisation: str = "two_sigma2"
    cutoff: str = "sharp"

    def __post_init__(self) -> None:
        object.__setattr__(self, "neighbour_species", tuple(self.neighbour_species))
        if not (0 <= self.first <= self.last and self.step > 0 and self.width > 0):
            raise ValueError(
                f"found first {self.first}, last {self.last}, step {self.step}, width {self.width}; expected 0 ≤ first ≤ last, "
                "step > 0 and width > 0, in Å"
            )
        if self.normalisation not in NORMALISATIONS or self.cutoff not in ("sharp", "smooth"):
            raise ValueError(
                f"found normalisation {self.normalisation!r} and cutoff {self.cutoff!r}, expected one of {', '.join(NORMALISATIONS)} "
                "and sharp or smooth"
            )
        if not self.neighbour_species or len(set(self.neighbour_species)) < len(self.neighbour_species):
            raise ValueError(f"found neighbour_species {list(self.neighbour_species)}, expected at least one species, each once")

    @property
    def delta(self) -> float:
        """δ, Å."""
        return self.width if self.normalisation == "two_sigma2" else self.width / np.sqrt(2)

    @property
    def n_rungs(self) -> int:
        return round((self.last - self.first) / self.step) + 1

    @property
    def rungs(self) -> np.ndarray:
        """μ, (n_rungs,), Å."""
        return self.first + self.step * np.arange(self.n_rungs)

    @property
    def r_max(self) -> float:
        """Å."""
        return float(self.rungs[-1] + 4 * self.delta)

    @property
    def names(self) -> list[str]:
        """Of the columns: "Li 2.0"."""
        return [f"{symbol} {rung:.3g}" for symbol in self.neighbour_species for rung in self.rungs]

    def __len__(self) -> int:
        return len(self.neighbour_species) * self.n_rungs

    def of_pairs(
        self, centres: np.ndarray, neighbours: np.ndarray, distances: np.ndarray, symbols: Sequence[str], n: int | None = None
    ) -> np.ndarray:
        """From any list of pairs, in any order, some of them several times (images of one atom).

        Args:
            centres: (n_pairs,), row of the result that a pair belongs to. neighbours: (n_pairs,), indices into symbols.
            distances: (n_pairs,), Å; those at the cutoff or beyond do not count. symbols: of all atoms. n: rows; None: as many as symbols.
        Returns:
            (n, len(self)).
        """
        block = np.full(len(symbols), -1, np.int64)
        for k, symbol in enumerate(self.neighbour_species):
            block[np.asarray(symbols) == symbol] = k
        counted = np.zeros((len(symbols) if n is None else n, len(self.neighbour_species), self.n_rungs))
        _add(
            np.asarray(centres, np.int64),
            block[np.asarray(neighbours, np.int64)],
            np.asarray(distances, float),
            self.first,
            self.step,
            self.delta,
            self.r_max,
            self.cutoff == "smooth",
            counted,
        )
        return counted.reshape(len(counted), -1)

    def of_frame(self, positions: np.ndarray, cell: np.ndarray, symbols: Sequence[str], centres: np.ndarray) -> np.ndarray:
        """Of chosen atoms of a periodic structure.

        Args:
            positions: (n_atoms, 3), Å, wherever they lie. cell: (3, 3) rows, Å. symbols: of all atoms. centres: (n,) indices.
        Returns:
            (n, len(self)).
        """
        centres, back = np.unique(np.asarray(centres, np.int64), return_inverse=True)
        found, edges, distances = pairs_around(positions, cell, symbols, centres, self.neighbour_species, self.r_max)
        return self.of_pairs(found, edges, distances, symbols, len(centres))[back.reshape(-1)]


def pairs_around(
    positions: np.ndarray, cell: np.ndarray, symbols: Sequence[str], centres: np.ndarray, species: Sequence[str], r_max: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row in `centres`, neighbour's index and distance (Å) of all pairs of a chosen atom with an atom of the species, nearer than r_max."""
    symbols = np.asarray(symbols)
    row = np.full(len(symbols), -1, np.int64)
    row[np.asarray(centres, np.int64)] = np.arange(len(centres))
    wanted = np.isin(symbols, np.asarray(species))
    chosen = np.flatnonzero((row >= 0) | wanted)  # the search need not see the others
    i, j, distance = close_pairs(np.asarray(positions, float)[chosen], np.asarray(cell, float), r_max)
    i, j = chosen[i], chosen[j]
    there, back = (row[i] >= 0) & wanted[j], (row[j] >= 0) & wanted[i]
    return (
        np.concatenate([row[i[there]], row[j[back]]]),
        np.concatenate([j[there], i[back]]),
        np.concatenate([distance[there], distance[back]]),
    )


@njit(cache=True, nogil=True)
def _add(centres, blocks, distances, first, step, delta, r_max, smooth, counted):
    """From the rung nearest to the distance outwards: two exponentials for each pair, and products of them for all rungs."""
    n = counted.shape[2]
    fall = np.exp(-((step / delta) ** 2))
    reach = TAIL * delta
    for e in range(len(centres)):
        r, block = distances[e], blocks[e]
        if block < 0 or r >= r_max:
            continue
        row = counted[centres[e], block]
        k = min(max(int(np.round((r - first) / step)), 0), n - 1)
        away = r - first - k * step
        if abs(away) > reach:
            continue
        peak = np.exp(-0.5 * (away / delta) ** 2)
        if smooth:
            peak *= 0.5 * (1.0 + np.cos(np.pi * r / r_max))
        row[k] += peak
        for side in (1, -1):
            value, ratio = peak, np.exp((side * away * step - 0.5 * step * step) / delta**2)
            m = k + side
            while 0 <= m < n and abs(r - first - m * step) <= reach:
                value *= ratio
                ratio *= fall
                row[m] += value
                m += side
