"""Which products of two components of a feature enter its self-product, and with which coefficients."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mlff.nn.clebsch_gordan import coupling, parity_even_paths


@dataclass(frozen=True)
class SelfCoupling:
    """The coupling of all components of l ≤ l_max with themselves, along the parity-even paths.

    first, second: (n_pairs,) components a ≤ b, counted over m of all l.
    matrix: (n_rows, n_pairs), what x_a x_b of each pair gives each row; rows run over paths, then m.
    paths_per_l: how many paths end in each l; the paths are in the order of that l.
    """

    first: np.ndarray
    second: np.ndarray
    matrix: np.ndarray
    paths_per_l: tuple[int, ...]

    @property
    def nonzeros(self) -> list[list[tuple[int, int, float]]]:
        """(a, b, coefficient) of each row."""
        return [[(int(self.first[k]), int(self.second[k]), float(row[k])) for k in row.nonzero()[0]] for row in self.matrix]


@lru_cache
def self_coupling(l_max: int) -> SelfCoupling:
    """Of l_max 0 to 3, each path with unit variance out for unit variance in."""
    n = (l_max + 1) ** 2
    first, second = np.triu_indices(n)
    column = np.zeros((n, n), dtype=int)
    column[first, second] = column[second, first] = np.arange(len(first))
    paths = sorted(parity_even_paths(l_max), key=lambda path: path[2])
    rows = []
    for l1, l2, l3 in paths:
        c = coupling(l1, l2, l3)
        block = np.zeros((2 * l3 + 1, len(first)))
        for m1, m2, m3 in np.argwhere(c):
            block[m3, column[l1**2 + m1, l2**2 + m2]] += c[m1, m2, m3]
        rows.append(block * np.sqrt((2 * l3 + 1) / np.square(block).sum()))
    per_l = tuple(sum(path[2] == l for path in paths) for l in range(l_max + 1))
    return SelfCoupling(first, second, np.concatenate(rows), per_l)
