"""Where cations stand around the ligands of anions: distance and angle, the two-dimensional density of papers/001, figures 7 and 10."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from mlff.analysis.anions.anion_bodies import Bodies, bodies_of
from mlff.analysis.estimate import Estimate
from mlff.analysis.statistics.jackknife import estimate, jackknife
from mlff.analysis.statistics.strided_blocks import StridedBlocks
from mlff.analysis.system import NotApplicable, System
from mlff.geometry import inside_cell, neighbor_list
from mlff.trajectory import Frames

PERIODIC = np.ones(3, bool)


@dataclass(frozen=True)
class LigandMap:
    """Around the ligands of one kind of anion. Errors are of blocks of time, NaN with fewer than two.

    density, error: ρ(r, φ), (n_r, n_phi), 1/(Å °): its integral over r < r_max and all φ is 1. This is the density of papers/001, which
        counts occurrences; a gas without order has ρ ∝ r² sin φ in it.
    relative, relative_error: (n_r, n_phi), the same over that of such a gas of as many cations: the counts per ring of volume
        2π/3 Δ(r³) Δ(cos φ) over the number density of cations, 1 where they are not ordered.
    neighbours: cations within r_max of a ligand, the mean over its bonds: a ligand between two centres comes twice.
    angle: mean of φ over the pairs, °. most_frequent: r and φ of the densest bin, Å and °, each ± half a bin.
    centres, ligands: symbols, as in "P" and "S".
    """

    density: np.ndarray
    error: np.ndarray
    relative: np.ndarray
    relative_error: np.ndarray
    neighbours: Estimate
    angle: Estimate
    most_frequent: tuple[Estimate, Estimate]
    centres: str
    ligands: str


@dataclass(frozen=True)
class CationAnionMap:
    """r_edges: (n_r + 1,), Å. angle_edges: (n_phi + 1,), °. kinds: by kind of anion. n_frames: how many were counted."""

    r_edges: np.ndarray
    angle_edges: np.ndarray
    kinds: dict[str, LigandMap]
    n_frames: int


class CationAnionMapAccumulator(StridedBlocks):
    """ρ(r_cation–ligand, φ), φ the angle centre–ligand–cation at the ligand, of all pairs closer than r_max.

    papers/001 calls φ a bond angle in one place and a dihedral in another; three atoms have an angle. In φ = 180° the cation is in line
    with the bond, on the far side of the ligand. Distances are those of all images, in any cell; r_max may exceed half of it.

    Args:
        cations: (n,) indices. bodies: anions by kind. symbols: of all atoms.
        r_max, width: of the bins of r, Å. angle_width: of those of φ, °. stride: one of so many frames that come is counted.
    """

    def __init__(
        self,
        cations: np.ndarray,
        bodies: list[Bodies],
        symbols: tuple[str, ...],
        r_max: float = 6.0,
        width: float = 0.1,
        angle_width: float = 3.0,
        stride: int = 1,
    ):
        if not (r_max > width > 0 and 0 < angle_width <= 90 and stride >= 1):
            raise ValueError(
                f"found r_max {r_max}, width {width}, angle_width {angle_width}, stride {stride}; expected r_max > width > 0 in Å, "
                "0 < angle_width ≤ 90 in ° and stride ≥ 1"
            )
        self.cations, self.bodies, self.symbols = np.asarray(cations, np.int64), bodies, np.array(symbols)
        self.r_max = float(r_max)
        self.n_r, self.n_phi = max(1, round(r_max / width)), max(1, round(180 / angle_width))
        # by kind: counts, and counts × volume; behind the bins the sum of φ
        super().__init__((2, len(bodies), self.n_r * self.n_phi + 1), stride)

    @classmethod
    def of(cls, system: System, r_max: float = 6.0, width: float = 0.1, angle_width: float = 3.0, frames: int = 400) -> Self:
        """Of the mobile ions around all anions, in about so many frames. Raises: NotApplicable: no anions."""
        if not system.anions:
            raise NotApplicable(
                f"found no polyatomic anions among {', '.join(sorted(set(system.symbols)))}, expected bonded ones such as PS4; "
                "leave out cation_anion_map"
            )
        bodies = bodies_of(system.anions, system.numbers)
        return cls(system.ions, bodies, system.symbols, r_max, width, angle_width, system.stride(frames))

    def update(self, frames: Frames) -> None:
        """Raises: ValueError: a cell without volume, or a position that is not finite."""
        for k in self._due(frames):
            counts = self._count(frames.positions[k], frames.cells[k])
            self._blocks.add(np.stack([counts, counts * abs(np.linalg.det(frames.cells[k]))]))

    def result(self) -> CationAnionMap:
        """Raises: ValueError: no frame was counted."""
        self._expect_frames()
        r, phi = np.linspace(0, self.r_max, self.n_r + 1), np.linspace(0, 180, self.n_phi + 1)
        kinds = {bodies.kind: self._of_kind(k, bodies, r, phi) for k, bodies in enumerate(self.bodies)}
        return CationAnionMap(r, phi, kinds, int(self._blocks.n))

    def _settings(self) -> dict[str, np.ndarray]:
        own = {"cations": self.cations, "r_max": np.array(self.r_max), "n_bins": np.array([self.n_r, self.n_phi])}
        own |= {"stride": np.array(self.stride), "kinds": np.array([bodies.kind for bodies in self.bodies])}
        return own | {f"atoms{k}": bodies.atoms for k, bodies in enumerate(self.bodies)}

    def _of_kind(self, k: int, bodies: Bodies, r: np.ndarray, phi: np.ndarray) -> LigandMap:
        n_bonds = bodies.bonds.shape[0] * bodies.bonds.shape[1]
        area = np.diff(r)[:, None] * np.diff(phi)
        ring = 2 * np.pi / 3 * np.diff(r**3)[:, None] * -np.diff(np.cos(np.radians(phi)))

        def density(mean):
            counts = mean[0, k, :-1].reshape(self.n_r, self.n_phi)
            return counts / max(counts.sum(), 1e-300) / area

        def relative(mean):
            return mean[1, k, :-1].reshape(self.n_r, self.n_phi) / (n_bonds * len(self.cations) * ring)

        def numbers(mean):
            pairs = mean[0, k, :-1].sum()
            return np.array([pairs / n_bonds, mean[0, k, -1] / pairs if pairs else np.nan])

        (rho, error), (g, g_error), (scalars, scalar_errors) = (jackknife(self._blocks, f) for f in (density, relative, numbers))
        i, j = np.unravel_index(np.argmax(rho), rho.shape)
        peak = [
            Estimate(float(edges[n] + edges[n + 1]) / 2, float(edges[n + 1] - edges[n]) / 2, unit=unit)
            for edges, n, unit in ((r, i, "Å"), (phi, j, "°"))
        ]
        symbols = [
            "/".join(sorted(set(self.symbols[np.take_along_axis(bodies.atoms, bodies.bonds[:, :, end], axis=1).ravel()]))) for end in (0, 1)
        ]
        return LigandMap(
            rho,
            error,
            g,
            g_error,
            estimate(scalars[0], scalar_errors[0]),
            estimate(scalars[1], scalar_errors[1], "°"),
            (peak[0], peak[1]),
            *symbols,
        )

    def _count(self, positions: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """Pairs by kind and bin, and the sum of φ, (n_kinds, n_r n_phi + 1)."""
        found = np.zeros((len(self.bodies), self.n_r * self.n_phi + 1))
        inside = inside_cell(positions, cell)  # the search and the differences then work with small numbers
        for k, bodies in enumerate(self.bodies):
            placed = bodies.place(inside[None], cell[None])[0]
            rows = np.arange(len(bodies))[:, None]
            centres, ligands = bodies.bonds[:, :, 0], bodies.bonds[:, :, 1]
            bond = (placed[rows, centres] - placed[rows, ligands]).reshape(-1, 3)  # from the ligand to its centre
            of = bodies.atoms[rows, ligands].ravel()
            atoms, place = np.unique(of, return_inverse=True)
            (i, j), shift = neighbor_list(inside[np.concatenate([atoms, self.cations])], cell, PERIODIC, self.r_max)
            near = (i < len(atoms)) & (j >= len(atoms))
            ligand, cation = i[near], self.cations[j[near] - len(atoms)]
            away = inside[cation] + shift[near] @ cell - inside[atoms[ligand]]
            for each in range(int(np.bincount(place).max())):  # a ligand between two centres comes twice
                first, row = _each(place, each, len(atoms))
                with_bond = first[ligand]
                self._bin(away[with_bond], bond[row[ligand[with_bond]]], found[k])
        return found

    def _bin(self, away: np.ndarray, bond: np.ndarray, found: np.ndarray) -> None:
        distance = np.linalg.norm(away, axis=1)
        phi = np.degrees(np.arctan2(np.linalg.norm(np.cross(away, bond), axis=1), (away * bond).sum(1)))
        i = np.minimum((distance * (self.n_r / self.r_max)).astype(np.int64), self.n_r - 1)
        j = np.minimum((phi * (self.n_phi / 180)).astype(np.int64), self.n_phi - 1)
        found[:-1] += np.bincount(i * self.n_phi + j, minlength=self.n_r * self.n_phi)
        found[-1] += phi.sum()


def _each(place: np.ndarray, number: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether each of n ligands has so many bonds and one more, (n,) bool, and the row of that bond, (n,)."""
    order = np.argsort(place, kind="stable")
    start = np.searchsorted(place[order], np.arange(n))
    has = np.bincount(place, minlength=n) > number
    return has, order[np.minimum(start + number, len(order) - 1)]
