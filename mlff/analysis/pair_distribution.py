"""Pair distribution functions g(r) and coordination numbers of all pairs of species."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Self

import numpy as np

from mlff.analysis.statistics.strided_blocks import StridedBlocks
from mlff.analysis.system import System
from mlff.geometry import close_pairs
from mlff.trajectory import Frames


@dataclass(frozen=True)
class PairDistribution:
    """r: (n_bins,), middle of the bins, Å. edges: (n_bins + 1,), Å. n_frames: how many were counted.

    g, error: by pair of species ("A", "B") in the order of the alphabet, (n_bins,); the error is the scatter of blocks of time, NaN with
    fewer than two frames.
    coordination: by ordered pair, (n_bins,): how many B lie within the upper edge of each bin around one A.
    """

    r: np.ndarray
    edges: np.ndarray
    g: dict[tuple[str, str], np.ndarray]
    error: dict[tuple[str, str], np.ndarray]
    coordination: dict[tuple[str, str], np.ndarray]
    n_frames: int


class PairDistributionAccumulator(StridedBlocks):
    """g_AB(r) = ⟨V / (N_A N_B) Σ_{i in A} Σ_{j in B, j ≠ i} δ(r − r_ij)⟩ / 4πr², with V of each frame and the exact volume of the shells.

    r_max may exceed the cell: then all images count, also those of i itself at lattice vectors, as they do around an atom of a crystal.
    Of N atoms of one kind without order, g is 1 − 1/N by this definition, not 1.

    Args:
        species: symbol of each atom. r_max, width: of the bins, Å.
        stride: one of so many frames that come is counted, the first of them.
    """

    def __init__(self, species: Sequence[str], r_max: float = 8.0, width: float = 0.05, stride: int = 1):
        if not (r_max > width > 0 and stride >= 1):
            raise ValueError(f"found r_max {r_max}, width {width}, stride {stride}; expected r_max > width > 0 in Å and stride ≥ 1")
        self.symbols = sorted(set(species))
        self.kind = np.array([self.symbols.index(s) for s in species])
        self.pairs = list(combinations_with_replacement(range(len(self.symbols)), 2))
        self.r_max = float(r_max)
        self.n_bins = max(1, round(r_max / width))
        super().__init__((2, len(self.pairs), self.n_bins), stride)  # counts, and counts × volume

    @classmethod
    def of(cls, system: System, r_max: float = 8.0, width: float = 0.05, frames: int = 400) -> Self:
        """Of all pairs of species, in about so many frames."""
        return cls(system.symbols, r_max, width, system.stride(frames))

    def update(self, frames: Frames) -> None:
        for k in self._due(frames):
            counts = self._count(frames.positions[k], frames.cells[k])
            self._blocks.add(np.stack([counts, counts * abs(np.linalg.det(frames.cells[k]))]))

    def result(self) -> PairDistribution:
        """Raises: ValueError: no frame was counted."""
        self._expect_frames()
        edges = np.linspace(0, self.r_max, self.n_bins + 1)
        shell = 4 / 3 * np.pi * np.diff(edges**3)
        numbers = np.bincount(self.kind)
        mean, error = self._blocks.mean(), self._blocks.error()
        g, errors, coordination = {}, {}, {}
        for row, (a, b) in enumerate(self.pairs):
            name, scale = (self.symbols[a], self.symbols[b]), (2 if a == b else 1) / (numbers[a] * numbers[b] * shell)
            g[name], errors[name] = mean[1, row] * scale, error[1, row] * scale
            within = np.cumsum(mean[0, row]) * (2 if a == b else 1)
            coordination[name] = within / numbers[a]
            coordination[name[::-1]] = within / numbers[b]
        return PairDistribution((edges[1:] + edges[:-1]) / 2, edges, g, errors, coordination, int(self._blocks.n))

    def _settings(self) -> dict[str, np.ndarray]:
        return {
            "species": np.array([self.symbols[k] for k in self.kind]),
            "r_max": np.array(self.r_max),
            "n_bins": np.array(self.n_bins),
            "stride": np.array(self.stride),
        }

    def _count(self, positions: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """Pairs, each once, by pair of species and bin, (n_pairs, n_bins)."""
        i, j, distance = close_pairs(positions, cell, self.r_max)
        low, high = np.minimum(self.kind[i], self.kind[j]), np.maximum(self.kind[i], self.kind[j])
        row = low * len(self.symbols) - low * (low - 1) // 2 + high - low
        place = np.minimum((distance * (self.n_bins / self.r_max)).astype(np.int64), self.n_bins - 1)
        return np.bincount(row * self.n_bins + place, minlength=len(self.pairs) * self.n_bins).reshape(len(self.pairs), -1).astype(float)
