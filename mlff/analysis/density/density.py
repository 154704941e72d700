"""Where the mobile ions are: their density on a grid of the cell, its free energy, and the barriers of the ways through it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numba import njit

from mlff.analysis.accumulator import Part, check_settings, load_parts, stored_parts
from mlff.analysis.density.percolation import AXES, barriers, inefficiency, path
from mlff.analysis.density.smoothing import smoothed
from mlff.analysis.estimate import Estimate
from mlff.analysis.framework.framework_drift import FrameworkDrift, inverses_of
from mlff.analysis.statistics.count_blocks import CountBlocks
from mlff.analysis.system import NotApplicable, System
from mlff.trajectory import Frames
from mlff.units import K_B


@dataclass(frozen=True)
class Density:
    """cell: (3, 3) rows, Å, the mean cell, folded. n_ions: in it. n_frames: counted. temperature: K, None where it is not known.

    density, error: (n_a, n_b, n_c), 1/Å³, at the grid points (i / n_a, j / n_b, k / n_c), mean over the bins around them; the sum times
        the volume of a bin is n_ions. Smoothed, where `smoothing`, the standard deviation of a Gaussian in Å, is not 0.
    free_energy: (n_a, n_b, n_c), −kT ln(ρ / ρ_max), infinite where no ion was. It depends on the grid: a bin's density is a mean.
    coordinate: by axis, (n,), Å along the cell vector. along, along_error: by axis, (n,), probability of an ion per Å along it,
        summed over the planes of the other two and never smoothed. free_energy_along, free_energy_along_error: −kT ln(P / P_max).
    barriers: by axis, free energy of the bottleneck of the way around the cell, above the densest place (see `percolation.barriers`).
    paths: by axis, (n, 3), Å, unwrapped, the way of least resistance through the bottleneck, from its densest point to that one's
        image; path_lengths: (n,), Å, along it. path_energies: (n,). An axis without a way has none.
    visits: by axis, counts of ions in the bottleneck's bin, over the bins of the smoothing; below about 100 widen the smoothing.
    unit: of all free energies, eV, or kT without a temperature.
    symbols, positions: of the framework, (n, 3), Å, in the first frame and folded, for orientation.
    """

    cell: np.ndarray
    n_ions: float
    n_frames: int
    temperature: float | None
    density: np.ndarray
    error: np.ndarray
    free_energy: np.ndarray
    coordinate: dict[str, np.ndarray]
    along: dict[str, np.ndarray]
    along_error: dict[str, np.ndarray]
    free_energy_along: dict[str, np.ndarray]
    free_energy_along_error: dict[str, np.ndarray]
    barriers: dict[str, Estimate]
    paths: dict[str, np.ndarray]
    path_lengths: dict[str, np.ndarray]
    path_energies: dict[str, np.ndarray]
    visits: dict[str, float]
    smoothing: float
    unit: str
    symbols: tuple[str, ...]
    positions: np.ndarray

    @property
    def probability(self) -> np.ndarray:
        """Of one ion, 1/Å³: integrates to 1 over the cell."""
        return self.density / self.n_ions


class DensityAccumulator:
    """ρ(r) = ⟨Σ_i δ(r − r_i)⟩ of the mobile ions in fractions of each frame's cell, so that a cell that fluctuates smears nothing.

    Isosurfaces of papers/002 (its Fig. 6: 0.045 for LiBH4, 7e-4 for Na2B10H10, 1e-3 for Li3PS4) come without unit or norm; as a number
    density in 1/Å³, which is what this is, they are about 2.4, 1/13 and 1/20 of the mean, which is what such pictures show.

    Args:
        symbols: of each atom. ions: (n,) indices of those that are counted.
        shape: grid points along a, b, c of the folded cell.
        fold: how many times the folded cell repeats in the cell; 1 along each axis for no folding.
        drift: (n_atoms,) weights of the atoms whose common motion is taken out; None for none.
        smoothing: Å, of the density in the result. temperature: K.
    """

    reads = "frames"

    def __init__(
        self,
        symbols: Sequence[str],
        ions: np.ndarray,
        shape: Sequence[int],
        fold: Sequence[int] = (1, 1, 1),
        drift: np.ndarray | None = None,
        smoothing: float = 0.0,
        temperature: float | None = None,
    ):
        self.ions = np.asarray(ions, np.int64)
        self.shape, self.fold = tuple(int(n) for n in shape), np.array(fold, np.int64)
        if not len(self.ions):
            raise ValueError("found no ions to count, expected at least one; choose a species that the structure has")
        if len(self.shape) != 3 or min(self.shape) < 1 or self.fold.shape != (3,) or self.fold.min() < 1:
            raise ValueError(f"found a grid {shape} and fold {fold}, expected three integers ≥ 1 each; give one per cell vector")
        if not smoothing >= 0 or (temperature is not None and not temperature > 0):
            raise ValueError(f"found smoothing {smoothing} Å and temperature {temperature} K, expected ≥ 0 and > 0, or no temperature")
        self.symbols = tuple(symbols)
        self.smoothing, self.temperature = float(smoothing), None if temperature is None else float(temperature)
        self._weights = None if drift is None else np.asarray(drift, float)
        self._drift = FrameworkDrift(drift)
        self._blocks = CountBlocks(int(np.prod(self.shape)))
        self._cells = np.zeros((3, 3))  # sum
        self._framework = np.zeros((0, 3))  # fractions in the first frame

    @classmethod
    def of(
        cls,
        system: System,
        spacing: float = 0.25,
        smoothing: float = 0.0,
        fold: Sequence[int] = (1, 1, 1),
        temperature: float | None = None,
        most_points: float = 4e6,
    ) -> Self:
        """Of the mobile ions. most_points: of the grid; of a cell that would need more, the spacing becomes wider."""
        if not len(system.ions):
            raise NotApplicable(f"found no {system.mobile}, expected the ions whose density is asked for; name them with `mobile`")
        if not (np.all(system.pbc) and abs(np.linalg.det(system.cell)) > 0):
            raise NotApplicable("the cell is not periodic along all axes, expected a crystal or a glass in a box; leave the density out")
        if not spacing > 0 or not most_points >= 1:
            raise ValueError(f"found spacing {spacing} Å and most_points {most_points}, expected a positive length and at least one point")
        lengths = np.linalg.norm(system.cell, axis=1) / np.maximum(np.asarray(fold, float), 1)
        spacing = max(spacing, spacing * (np.prod(lengths / spacing) / most_points) ** (1 / 3))
        shape = np.maximum(1, np.round(lengths / spacing)).astype(int)
        temperature = system.temperature if temperature is None else temperature
        return cls(system.symbols, system.ions, shape, fold, system.drift, smoothing, temperature)

    def update(self, frames: Frames) -> None:
        """Raises: ValueError: another number of atoms, or a cell without volume."""
        if not len(frames):
            return
        if frames.positions.shape[1] != len(self.symbols):
            raise ValueError(f"found frames of {frames.positions.shape[1]} atoms, expected {len(self.symbols)}; give frames of one run")
        positions, inverses = np.ascontiguousarray(frames.positions, float), inverses_of(frames.cells)
        drift = self._drift.update(positions, inverses)
        if not self._blocks.n:
            framework = np.setdiff1d(np.arange(len(self.symbols)), self.ions)
            self._framework = positions[0, framework] @ inverses[0]
        for cell in np.asarray(frames.cells, float):  # one by one, so that chunks do not matter
            self._cells = self._cells + cell
        begin = 0
        while begin < len(positions):
            part = slice(begin, begin + self._blocks.room)
            new = positions[part]
            _count(new, inverses[part], drift[part], self.ions, self.fold, np.array(self.shape), self._blocks.open)
            self._blocks.counted(len(new))
            begin += len(new)

    def merge(self, other: "DensityAccumulator") -> None:
        """Takes in any other frames of the same atoms. Where the drift is taken out, places are told from each run's own first frame."""
        check_settings(other._settings(), self._settings())
        if not self._blocks.n:
            self._framework = other._framework.copy()
        self._blocks.merge(other._blocks)
        self._cells = self._cells + other._cells

    def result(self) -> Density:
        """Raises: ValueError: no frame was counted."""
        blocks, n = self._blocks, self._blocks.n
        if not n:
            raise ValueError("found no frame, expected at least one; update with frames first")
        cell = self._cells / n / self.fold[:, None]
        total = blocks.total().reshape(self.shape)
        volume = abs(np.linalg.det(cell)) / total.size  # of a bin
        counts, averaged = smoothed(total, cell, self.smoothing)
        to_density = 1 / (n * np.prod(self.fold) * volume)
        parts = [block.reshape(self.shape) for block in blocks.full]
        without = (smoothed(total - part, cell, self.smoothing)[0] for part in parts)
        unit, kT = ("kT", 1.0) if self.temperature is None else ("eV", K_B * self.temperature)
        slowness = inefficiency(np.stack(blocks.full).astype(float)) if len(parts) > 1 else 1.0
        found = [barrier.times(kT, unit) for barrier in barriers(counts, without, averaged, slowness)]
        ways = {axis: way for k, axis in enumerate(AXES) if (way := path(counts, cell, k)) is not None}
        lines = {axis: _along(total, parts, blocks.length, n, k, float(np.linalg.norm(cell[k]))) for k, axis in enumerate(AXES)}
        with np.errstate(divide="ignore", invalid="ignore"):  # nothing where no ion was: infinite, its error not known
            free_energy = kT * np.log(counts.max() / counts)
            energies = {axis: kT * np.log(p.max() / p) for axis, (_, p, _) in lines.items()}
            errors = {axis: kT * error / p for axis, (_, p, error) in lines.items()}
        return Density(
            cell,
            len(self.ions) / float(np.prod(self.fold)),
            n,
            self.temperature,
            counts * to_density,
            self._scatter(parts, cell) * to_density * n,
            free_energy,
            {axis: x for axis, (x, _, _) in lines.items()},
            {axis: p for axis, (_, p, _) in lines.items()},
            {axis: error for axis, (_, _, error) in lines.items()},
            energies,
            errors,
            dict(zip(AXES, found, strict=True)),
            {axis: way.points for axis, way in ways.items()},
            {axis: np.linalg.norm(np.diff(way.points, axis=0, prepend=way.points[:1]), axis=1).cumsum() for axis, way in ways.items()},
            {axis: kT * np.log(counts.max() / way.density) for axis, way in ways.items()},
            {axis: float(way.density.min() * averaged) for axis, way in ways.items()},
            self.smoothing,
            unit,
            *self._folded_framework(cell),
        )

    def state(self) -> dict[str, np.ndarray]:
        return stored_parts(self._parts()) | {"cells": self._cells.copy(), "framework": self._framework.copy()} | self._settings()

    def load(self, state: dict[str, np.ndarray]) -> None:
        check_settings(state, self._settings())
        load_parts(state, self._parts())
        self._cells, self._framework = np.array(state["cells"]), np.array(state["framework"])

    def _parts(self) -> dict[str, Part]:
        return {"blocks": self._blocks, "drift": self._drift}

    def _settings(self) -> dict[str, np.ndarray]:
        """What the counts depend on; smoothing and temperature, asked for in the result alone, are free."""
        return {
            "symbols": np.array(self.symbols),
            "ions": self.ions,
            "shape": np.array(self.shape),
            "fold": self.fold,
            "weights": np.zeros(0) if self._weights is None else self._weights,
        }

    def _scatter(self, parts: list[np.ndarray], cell: np.ndarray) -> np.ndarray:
        """Standard error of the counts per frame, from blocks of time."""
        m = len(parts)
        if m < 2:
            return np.full(self.shape, np.nan)
        total, squares = np.zeros(self.shape), np.zeros(self.shape)
        for part in parts:
            counts = smoothed(part, cell, self.smoothing)[0] / self._blocks.length
            total += counts
            squares += counts**2
        return np.sqrt(np.maximum(squares - total**2 / m, 0) / (m * (m - 1)))

    def _folded_framework(self, cell: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
        """Symbols and positions of the framework's atoms in one of the folded cells."""
        ions = set(self.ions.tolist())
        symbols = [symbol for k, symbol in enumerate(self.symbols) if k not in ions]
        fraction = self._framework * self.fold
        first = (np.floor(fraction + 0.01) % self.fold == 0).all(1)  # with room for atoms that vibrate about a face
        return tuple(s for s, here in zip(symbols, first, strict=True) if here), (fraction[first] - np.floor(fraction[first])) @ cell


def _along(counts: np.ndarray, parts: list[np.ndarray], length: int, n_frames: int, axis: int, period: float):
    """(coordinate, probability per Å, its standard error) along an axis of `period` Å."""
    others = tuple(k for k in range(3) if k != axis)
    line, n = counts.sum(others).astype(float), counts.shape[axis]
    scale = n / period / line.sum()
    scatter = np.full(n, np.nan)
    if len(parts) > 1:
        per_frame = np.array([part.sum(others, dtype=np.int64) for part in parts]) / length
        scatter = per_frame.std(axis=0, ddof=1) / np.sqrt(len(parts)) * n_frames
    return np.arange(n) * period / n, line * scale, scatter * scale


@njit(cache=True, nogil=True)
def _count(positions, inverses, drift, ions, fold, shape, counts):
    """Adds the ions of each frame to the bins around the nearest grid points."""
    n_a, n_b, n_c = shape[0], shape[1], shape[2]
    for t in range(len(positions)):
        inverse, moved = inverses[t] * fold, drift[t] * fold
        a_x, a_y, a_z, a_0 = inverse[0, 0], inverse[1, 0], inverse[2, 0], moved[0]
        b_x, b_y, b_z, b_0 = inverse[0, 1], inverse[1, 1], inverse[2, 1], moved[1]
        c_x, c_y, c_z, c_0 = inverse[0, 2], inverse[1, 2], inverse[2, 2], moved[2]
        for i in ions:
            x, y, z = positions[t, i, 0], positions[t, i, 1], positions[t, i, 2]
            i_a = _nearest_point(x * a_x + y * a_y + z * a_z - a_0, n_a)
            i_b = _nearest_point(x * b_x + y * b_y + z * b_z - b_0, n_b)
            i_c = _nearest_point(x * c_x + y * c_y + z * c_z - c_0, n_c)
            counts[(i_a * n_b + i_b) * n_c + i_c] += np.uint32(1)


@njit(cache=True, nogil=True, inline="always")
def _nearest_point(fraction, n):
    k = int((fraction - np.floor(fraction)) * n + 0.5)  # f − ⌊f⌋ is 1 for the smallest of negative numbers
    return k if k < n else k - n
