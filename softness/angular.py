"""Angular structure functions: which angles the neighbours of an atom make, as sums over pairs of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numba import njit

from mlff.analysis.rearrangement.falk_langer import reference_neighbours


@dataclass(frozen=True)
class AngularFunctions:
    """Ψ(i; X, Y, ξ, λ, ζ) = Σ_{j≠k} exp(−(r_ij² + r_ik² + r_jk²)/ξ²) (1 + λ cos θ_jik)^ζ, j and k of the species X and Y (Behler and
    Parrinello, Phys. Rev. Lett. 98, 146401, 2007; Cubuk et al., Phys. Rev. Lett. 114, 108001, 2015).

    The sum is over ordered pairs: each two neighbours count twice. Images of one atom are different neighbours. The values are columns of
    one block for each unordered pair of species, in the order of `pairs`, and in each block by `shapes`.

    Args:
        neighbour_species: chemical symbols. shapes: (ξ in Å, λ = ±1, ζ ≥ 1) of each function. r_max: Å, of both neighbours.
    """

    neighbour_species: Sequence[str]
    shapes: Sequence[tuple[float, float, float]] = ((3.0, 1.0, 1.0), (3.0, -1.0, 1.0), (3.0, 1.0, 4.0), (3.0, -1.0, 4.0))
    r_max: float = 5.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "neighbour_species", tuple(self.neighbour_species))
        object.__setattr__(self, "shapes", tuple(tuple(map(float, shape)) for shape in self.shapes))
        if not self.neighbour_species or len(set(self.neighbour_species)) < len(self.neighbour_species):
            raise ValueError(f"found neighbour_species {list(self.neighbour_species)}, expected at least one species, each once")
        if not self.r_max > 0 or not self.shapes or any(not (xi > 0 and abs(lam) == 1 and zeta >= 1) for xi, lam, zeta in self.shapes):
            raise ValueError(
                f"found shapes {self.shapes} and r_max {self.r_max}, expected ξ > 0 and r_max > 0 in Å, λ of 1 or −1 and ζ ≥ 1"
            )

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Species of the blocks."""
        return list(combinations_with_replacement(self.neighbour_species, 2))

    @property
    def names(self) -> list[str]:
        """Of the columns: "Li–S ξ3 λ+1 ζ4"."""
        return [f"{a}–{b} ξ{xi:g} λ{lam:+g} ζ{zeta:g}" for a, b in self.pairs for xi, lam, zeta in self.shapes]

    def __len__(self) -> int:
        return len(self.pairs) * len(self.shapes)

    def of_frame(self, positions: np.ndarray, cell: np.ndarray, symbols: Sequence[str], centres: np.ndarray) -> np.ndarray:
        """Of chosen atoms of a periodic structure.

        Args:
            positions: (n_atoms, 3), Å, wherever they lie. cell: (3, 3) rows, Å. symbols: of all atoms. centres: (n,) indices.
        Returns:
            (n, len(self)).
        """
        positions, cell, symbols = np.asarray(positions, float), np.asarray(cell, float), np.asarray(symbols)
        centres, back = np.unique(np.asarray(centres, np.int64), return_inverse=True)
        (i, j), shifts = reference_neighbours(positions, cell, self.r_max, centres)
        kind = np.full(len(symbols), -1, np.int64)
        for k, symbol in enumerate(self.neighbour_species):
            kind[symbols == symbol] = k
        counted = np.flatnonzero(kind[j] >= 0)
        order = counted[np.argsort(i[counted], kind="stable")]  # neighbours of one atom together
        vectors = positions[j[order]] + shifts[order] @ cell - positions[i[order]]
        rows = np.searchsorted(centres, i[order])
        ends = np.searchsorted(rows, np.arange(len(centres) + 1))
        block = np.zeros((len(self.neighbour_species),) * 2, np.int64)
        for k, (a, b) in enumerate(combinations_with_replacement(range(len(self.neighbour_species)), 2)):
            block[a, b] = block[b, a] = k
        found = np.zeros((len(centres), len(self.pairs), len(self.shapes)))
        _add(vectors, kind[j[order]], ends, block, np.array(self.shapes), found)
        return found.reshape(len(centres), -1)[back.reshape(-1)]


@njit(cache=True, nogil=True)
def _add(vectors, kinds, ends, block, shapes, found):
    for i in range(len(ends) - 1):
        for j in range(ends[i], ends[i + 1]):
            r2 = vectors[j, 0] ** 2 + vectors[j, 1] ** 2 + vectors[j, 2] ** 2
            for k in range(ends[i], j):
                s2, dot = 0.0, 0.0
                for c in range(3):
                    s2 += vectors[k, c] ** 2
                    dot += vectors[j, c] * vectors[k, c]
                cosine = dot / np.sqrt(r2 * s2)
                total = 2.0 * (r2 + s2 - dot)  # with r_jk² = r² + s² − 2 r·s
                row = found[i, block[kinds[j], kinds[k]]]
                for m in range(len(shapes)):
                    row[m] += 2.0 * np.exp(-total / shapes[m, 0] ** 2) * max(0.0, 1.0 + shapes[m, 1] * cosine) ** shapes[m, 2]
