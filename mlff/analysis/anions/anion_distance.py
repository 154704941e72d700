"""How far the mobile ions are from the nearest anion, and the free energy of that distance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numba import njit

from mlff.analysis.anions.anion_bodies import bodies_of
from mlff.analysis.estimate import Estimate
from mlff.analysis.framework.framework_drift import inverses_of
from mlff.analysis.statistics.jackknife import estimate, jackknife
from mlff.analysis.statistics.strided_blocks import StridedBlocks
from mlff.analysis.system import NotApplicable, System
from mlff.geometry.topology import Anion
from mlff.trajectory import Frames
from mlff.units import K_B

STEP = (1.2207440846057596) ** -np.array([1.0, 2.0, 3.0])  # of Roberts' sequence, which fills a cube evenly; x⁴ = x + 1
UNIT = "Å"


@dataclass(frozen=True)
class AnionDistance:
    """r: (n_bins,), middle of the bins, Å. edges: (n_bins + 1,), Å. n_frames: counted. temperature: K, None where it is not known.

    By kind of anion, "PS4":
    probability, probability_error: (n_bins,), 1/Å, that the nearest anion of this kind is as far; integrates to 1 − beyond.
    free_energy, free_energy_error: (n_bins,), −kT ln(P(r) / 4πr²), least value 0, infinite where no ion was: the Jacobian of a sphere,
        with which it is a potential of mean force near the anion. Beyond half the distance of two anions it is too high: there the
        sphere reaches into the regions of other anions, and an ion without any force would be found less often.
    free_energy_by_volume, free_energy_by_volume_error: (n_bins,), −kT ln(P(r) / v(r)), with the part v(r) of the cell that really is
        at this distance from the nearest anion: flat at any distance for ions that feel nothing.
    mean: distance, Å. beyond: share of the ions further away than the last edge.
    unit: of the free energies, eV, or kT without a temperature.
    """

    r: np.ndarray
    edges: np.ndarray
    n_frames: int
    temperature: float | None
    probability: dict[str, np.ndarray]
    probability_error: dict[str, np.ndarray]
    free_energy: dict[str, np.ndarray]
    free_energy_error: dict[str, np.ndarray]
    free_energy_by_volume: dict[str, np.ndarray]
    free_energy_by_volume_error: dict[str, np.ndarray]
    mean: dict[str, Estimate]
    beyond: dict[str, float]
    unit: str


class AnionDistanceAccumulator(StridedBlocks):
    """Histogram of the distance of each ion from the nearest centre of mass of an anion of each kind (papers/002, Fig. 4b).

    The volume at a distance is counted in the same frames with points that fill the cell evenly, as many around each anion.

    Args:
        symbols: of each atom. ions: (n,) indices. anions: whose kinds are told apart. numbers, masses: (n_atoms,), of all atoms, amu.
        r_max, width: of the bins, Å. stride: one of so many frames that come is counted, the first of them. temperature: K.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        ions: np.ndarray,
        anions: Sequence[Anion],
        numbers: np.ndarray,
        masses: np.ndarray,
        r_max: float = 8.0,
        width: float = 0.1,
        stride: int = 1,
        temperature: float | None = None,
    ):
        if not (r_max > width > 0 and stride >= 1):
            raise ValueError(f"found r_max {r_max}, width {width}, stride {stride}; expected r_max > width > 0 in Å and stride ≥ 1")
        if temperature is not None and not temperature > 0:
            raise ValueError(f"the temperature is {temperature} K, expected a positive one; give none for free energies in kT")
        self.ions, self.bodies = np.asarray(ions, np.int64), bodies_of(anions, numbers)
        if not len(self.ions) or not self.bodies:
            raise ValueError(
                f"found {len(self.ions)} ions and {len(anions)} anions, expected at least one of each; name the ion that moves"
            )
        self.symbols, self.masses = tuple(symbols), np.asarray(masses, float)
        self.r_max, self.n_bins = float(r_max), max(1, round(r_max / width))
        self.temperature = temperature
        # of the ions and of the even points: counts per bin and beyond, and the sum of the distances
        super().__init__((len(self.bodies), 2, self.n_bins + 2), stride)

    @classmethod
    def of(cls, system: System, r_max: float = 8.0, width: float = 0.1, frames: int = 4000, temperature: float | None = None) -> Self:
        """Of the mobile ions and the polyatomic anions, in about so many frames."""
        if not system.anions:
            raise NotApplicable(
                "found no polyatomic anion, expected one such as PS4 or BH4; for single atoms look at the pair distribution"
            )
        if not len(system.ions):
            raise NotApplicable(f"found no {system.mobile}, expected the ions whose distance is asked for; name them with `mobile`")
        stride = system.stride(frames)
        temperature = system.temperature if temperature is None else temperature
        return cls(system.symbols, system.ions, system.anions, system.numbers, system.masses, r_max, width, stride, temperature)

    def update(self, frames: Frames) -> None:
        """Raises: ValueError: another number of atoms, or a cell without volume."""
        if len(frames) and frames.positions.shape[1] != len(self.symbols):
            raise ValueError(f"found frames of {frames.positions.shape[1]} atoms, expected {len(self.symbols)}; give frames of one run")
        chosen = self._due(frames)
        positions, cells = np.asarray(frames.positions[chosen], float), np.asarray(frames.cells[chosen], float)
        if not len(positions):
            return
        inverses = inverses_of(cells)
        ions = positions[:, self.ions] @ inverses
        centres = []
        for body in self.bodies:
            weights = self.masses[body.atoms] / self.masses[body.atoms].sum(1, keepdims=True)
            middle = np.einsum("bk,tbkc->tbc", weights, body.place(positions, cells))
            centres.append((positions[:, body.atoms[:, 0]] + middle) @ inverses)
        for t in range(len(positions)):
            self._blocks.add(np.stack([self._histograms(ions[t], centre[t], cells[t]) for centre in centres]))

    def result(self) -> AnionDistance:
        """Raises: ValueError: no frame was counted."""
        self._expect_frames()
        unit, kT = ("kT", 1.0) if self.temperature is None else ("eV", K_B * self.temperature)
        edges = np.linspace(0, self.r_max, self.n_bins + 1)
        volumes = 4 / 3 * np.pi * np.diff(edges**3)
        mean, error = jackknife(self._blocks, self._shares)
        found: dict[str, dict] = {name: {} for name in AnionDistance.__dataclass_fields__}
        for k, body in enumerate(self.bodies):
            p, sigma = mean[k, 0, : self.n_bins], error[k, 0, : self.n_bins]
            v = mean[k, 1, : self.n_bins]
            with np.errstate(divide="ignore", invalid="ignore"):
                relative, noise = sigma / p, 1 / np.sqrt(self._blocks.total[k, 1, : self.n_bins])
                found["free_energy"][body.kind] = _from_least(-kT * np.log(p / volumes))
                found["free_energy_by_volume"][body.kind] = _from_least(np.where(v > 0, -kT * np.log(p / v), np.inf))
            found["free_energy_error"][body.kind] = kT * relative
            found["free_energy_by_volume_error"][body.kind] = kT * np.hypot(relative, noise)
            found["probability"][body.kind] = p / np.diff(edges)
            found["probability_error"][body.kind] = sigma / np.diff(edges)
            found["mean"][body.kind] = estimate(mean[k, 0, -1], error[k, 0, -1], UNIT)
            found["beyond"][body.kind] = float(mean[k, 0, self.n_bins])
        known = {"r": (edges[1:] + edges[:-1]) / 2, "edges": edges, "n_frames": int(self._blocks.n), "temperature": self.temperature}
        return AnionDistance(**(found | known | {"unit": unit}))

    def _settings(self) -> dict[str, np.ndarray]:
        """The temperature, asked for in the result alone, is free."""
        atoms = {f"atoms.{body.kind}": body.atoms for body in self.bodies}
        numbers = {"r_max": np.array(self.r_max), "n_bins": np.array(self.n_bins), "stride": np.array(self.stride)}
        return {"symbols": np.array(self.symbols), "ions": self.ions} | atoms | numbers

    def _histograms(self, ions: np.ndarray, centres: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """Of the ions and of even points, (2, n_bins + 2), in one frame; ions, centres: fractions."""
        each = -(-len(ions) // len(centres))  # even points around each anion, so that they move with the anions and with none of them alone
        offsets = (np.arange(1, each + 1) + int(self._blocks.n) * each)[:, None] * STEP
        points = (centres[:, None] + offsets).reshape(-1, 3)
        heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
        return np.stack([self._histogram(_nearest(each, centres, cell, heights)) for each in (ions, points)])

    def _histogram(self, distances: np.ndarray) -> np.ndarray:
        place = np.minimum((distances * (self.n_bins / self.r_max)).astype(np.int64), self.n_bins)
        return np.append(np.bincount(place, minlength=self.n_bins + 1).astype(float), distances.sum())

    def _shares(self, mean: np.ndarray) -> np.ndarray:
        """Per point instead of per frame; the last is the mean distance."""
        return mean / mean[..., : self.n_bins + 1].sum(-1, keepdims=True)


def _from_least(free_energy: np.ndarray) -> np.ndarray:
    known = np.isfinite(free_energy)
    return np.where(known, free_energy - free_energy[known].min(initial=np.inf), np.inf) if known.any() else free_energy


@njit(cache=True, nogil=True)
def _nearest(points, centres, cell, heights):
    """(n_points,), Å, of each point from the nearest image of any centre; all in fractions, in any cell.

    Rounded differences give the shortest image if that is below half the least height of the cell; else all images that could be
    nearer are looked at.
    """
    found = np.empty(len(points))
    sure = (0.5 * min(heights[0], heights[1], heights[2])) ** 2
    for i in range(len(points)):
        best = np.inf
        for j in range(len(centres)):
            a, b, c = points[i, 0] - centres[j, 0], points[i, 1] - centres[j, 1], points[i, 2] - centres[j, 2]
            best = min(best, _square(a - np.rint(a), b - np.rint(b), c - np.rint(c), cell))
        if best >= sure:
            reach = np.sqrt(best) / heights  # a vector no longer than the best has fractions within these
            for j in range(len(centres)):
                a, b, c = points[i, 0] - centres[j, 0], points[i, 1] - centres[j, 1], points[i, 2] - centres[j, 2]
                for k in range(int(np.ceil(-reach[0] - a)), int(np.floor(reach[0] - a)) + 1):
                    for m in range(int(np.ceil(-reach[1] - b)), int(np.floor(reach[1] - b)) + 1):
                        for n in range(int(np.ceil(-reach[2] - c)), int(np.floor(reach[2] - c)) + 1):
                            best = min(best, _square(a + k, b + m, c + n, cell))
        found[i] = np.sqrt(best)
    return found


@njit(cache=True, nogil=True)
def _square(a, b, c, cell):
    x = a * cell[0, 0] + b * cell[1, 0] + c * cell[2, 0]
    y = a * cell[0, 1] + b * cell[1, 1] + c * cell[2, 1]
    z = a * cell[0, 2] + b * cell[1, 2] + c * cell[2, 2]
    return x * x + y * y + z * z
