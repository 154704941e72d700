"""Van Hove correlation of the mobile ions: how far one has gone, and where the others are, some time later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from mlff.analysis.accumulator import Part, check_settings, load_parts, stored_parts
from mlff.analysis.diffusion.distinct_pairs import distinct_distances
from mlff.analysis.estimate import Estimate
from mlff.analysis.framework.lattice_frame import LatticeFrame
from mlff.analysis.statistics.blocks import Blocks
from mlff.analysis.statistics.even_steps import joined_gap
from mlff.analysis.statistics.jackknife import estimate, jackknife
from mlff.analysis.system import System
from mlff.trajectory import Frames

MOST_WAITING = 256  # origins that are kept until their longest lag has passed; more of them would tell little that is new


@dataclass(frozen=True)
class VanHove:
    """At the lags that the run has; errors are one standard deviation from blocks of time no shorter than the lag, NaN where the run has
    not two of them.

    r: (n_bins,), middle of the bins, Å. edges: (n_bins + 1,), Å. times: (n_lags,), fs. origins: (n_lags,), how many each lag has.
    self_part, self_error: (n_lags, n_bins), G_s, Å⁻³: ∫ 4πr² G_s dr = 1, up to `beyond`. At lag 0 all of it is in the first bin.
    distinct, distinct_error: (n_lags, n_bins), G_d as printed, Å⁻³: a density, which goes to that of the ions where they know nothing of
        each other. relative, relative_error: divided by that density, to be read as a g(r).
    beyond: (n_lags,), share of the ions that went farther than the last edge.
    stayed: share of the ions within `near` Å of where they were. replaced: number of other ions there, relative to the number at the
        mean density: above 1 where ions follow each other from site to site. One of each for each lag.
    density: of the ions, Å⁻³.
    """

    r: np.ndarray
    edges: np.ndarray
    times: np.ndarray
    origins: np.ndarray
    self_part: np.ndarray
    self_error: np.ndarray
    distinct: np.ndarray
    distinct_error: np.ndarray
    relative: np.ndarray
    relative_error: np.ndarray
    beyond: np.ndarray
    stayed: tuple[Estimate, ...]
    replaced: tuple[Estimate, ...]
    density: float
    near: float


class VanHoveAccumulator:
    """Miyagawa et al., J. Mater. Chem. A 12, 11344 (2024), eqs 8 and 9, with the exact volume of the shells:

    G_d(r, Δt) = ⟨Σ_i Σ_{j ≠ i} δ(r − |r_i(t + Δt) − r_j(t)|)⟩ / 4πr²N,  G_s(r, Δt) = ⟨Σ_i δ(r − |r_i(t + Δt) − r_i(t)|)⟩ / 4πr²N.

    Positions move with the lattice and lengths are those of the mean cell of the frames so far (`LatticeFrame`). The self part follows
    the ion out of the cell; the distinct part takes all images within r_max, those of the ion itself too where it is not.

    Args:
        ions: (n,) indices. timestep: fs, of one step in `Frames.steps`.
        lags: frames, ascending. r_max, width: of the bins, Å. near: Å, what counts as the same place.
        stride: every so many frames is an origin.
        drift: (n_atoms,) weights of the atoms whose mean displacement is taken from the ions'; None for none.
    """

    reads = "frames"

    def __init__(
        self,
        ions: np.ndarray,
        timestep: float,
        lags: Sequence[int],
        r_max: float = 10.0,
        width: float = 0.1,
        near: float = 1.0,
        stride: int = 1,
        drift: np.ndarray | None = None,
    ):
        if not (timestep > 0 and r_max > width > 0 and r_max >= near > 0 and stride >= 1):
            raise ValueError(
                f"found a timestep of {timestep} fs, r_max {r_max}, width {width}, near {near} Å and stride {stride}; "
                "expected r_max > width > 0, r_max ≥ near > 0, a positive timestep and stride ≥ 1"
            )
        self.lags = np.asarray(lags, np.int64)
        if not len(self.lags) or self.lags[0] < 0 or (np.diff(self.lags) <= 0).any():
            raise ValueError(f"found lags of {list(lags)} frames, expected ascending ones from 0 on; give `lags` in ps")
        self.timestep, self.r_max, self.near, self.stride = float(timestep), float(r_max), float(near), int(stride)
        self.n_bins = max(1, round(r_max / width))
        self._frame = LatticeFrame(ions, drift)
        # of one origin each: self counts and those beyond; distinct counts and 0; distinct counts × volume and the volume
        self._blocks = [Blocks((3, self.n_bins + 1)) for _ in self.lags]
        self._waiting = np.zeros((int(self.lags[-1]) // self.stride + 1, len(self._frame.atoms), 3))
        self._closest = np.array(self.stride)  # frames between origins, the smallest of all runs

    @classmethod
    def of(
        cls,
        system: System,
        lags: Sequence[float] = (0, 1, 3, 10, 30, 100),
        r_max: float = 10.0,
        width: float = 0.1,
        near: float = 1.0,
        frames: int = 400,
    ) -> Self:
        """Of the mobile ions.

        Args:
            lags: ps; those longer than the run are left out. near: Å.
            frames: origins, about, spread over the trajectory; more than MOST_WAITING never wait for their longest lag at once.
        """
        if min(lags, default=0.0) < 0:
            raise ValueError(f"found lags of {list(lags)} ps, expected none below 0")
        chosen = sorted({system.frames_for(lag) if lag > 0 else 0 for lag in lags})
        chosen = [lag for lag in chosen if not system.n_frames or lag < system.n_frames]
        stride = max(system.stride(frames), -(-chosen[-1] // MOST_WAITING)) if chosen else 1
        return cls(system.ions, system.timestep, chosen, r_max, width, near, stride, system.drift)

    def update(self, frames: Frames) -> None:
        """Raises: ValueError: frames not evenly spaced, a cell without volume, or another number of atoms."""
        seen = self._frame.seen
        numbers = np.arange(seen, seen + len(frames))
        then = numbers[:, None] - self.lags
        counted = (then >= 0) & (then % self.stride == 0)
        wanted = np.flatnonzero(counted.any(axis=1) | (numbers % self.stride == 0))
        begin = 0
        for k in wanted:  # the mean cell is that of the frames up to each, so that chunks do not matter
            moved = self._moved(frames, begin, k + 1)
            begin = k + 1
            cell = self._frame.mean_cell
            now = np.linalg.solve(self._frame.cell.T, (self._frame.start[self._frame.atoms] + moved).T).T
            if numbers[k] % self.stride == 0:
                self._waiting[numbers[k] // self.stride % len(self._waiting)] = now
            for row in np.flatnonzero(counted[k]):
                origin = self._waiting[then[k, row] // self.stride % len(self._waiting)]
                self._blocks[row].add(self._count(origin, now, cell))
        if begin < len(frames):
            self._moved(frames, begin, len(frames))

    def merge(self, other: "VanHoveAccumulator") -> None:
        """Takes in independent runs of the same ions, with origins at any stride.

        Raises:
            ValueError: the other has other settings, or frames at another distance in time.
        """
        check_settings(other._settings() | {"stride": np.array(self.stride)}, self._settings())
        self._frame.clock[2] = joined_gap(self._frame.interval, other._frame.interval, "frames")
        for own, others in zip(self._blocks, other._blocks, strict=True):
            own.merge(others)
        self._closest = np.minimum(self._closest, other._closest)

    def result(self) -> VanHove:
        """Raises: ValueError: no lag has an origin."""
        rows = [row for row, blocks in enumerate(self._blocks) if blocks.n]
        if not rows:
            raise ValueError(
                f"found {self._frame.seen} frames, expected more than {self.lags[0]}, the shortest lag; give a longer run or shorter `lags`"
            )
        n, edges = len(self._frame.atoms), np.linspace(0, self.r_max, self.n_bins + 1)
        shell = 4 / 3 * np.pi * np.diff(edges**3)
        close = max(1, round(self.near / self.r_max * self.n_bins))  # bins
        volume = np.mean([self._blocks[row].mean()[2, -1] for row in rows])

        def parts(mean: np.ndarray) -> np.ndarray:
            """Self, distinct, relative, and the share beyond, which comes as a bin more."""
            counts = np.concatenate([mean[:2] / n, mean[2:] / n**2], axis=0)
            return np.concatenate([counts[:, :-1] / shell, counts[:, -1:]], axis=1)

        def shares(mean: np.ndarray) -> np.ndarray:
            return np.array([mean[0, :close].sum() / n, mean[2, :close].sum() / n**2 / shell[:close].sum()])

        least = [-(-int(self.lags[row]) // int(self._closest)) for row in rows]
        found = [jackknife(self._blocks[row], parts, few) for row, few in zip(rows, least, strict=True)]
        value, error = (np.array([pair[k] for pair in found]) for k in range(2))
        near = [jackknife(self._blocks[row], shares, few) for row, few in zip(rows, least, strict=True)]
        return VanHove(
            r=(edges[1:] + edges[:-1]) / 2,
            edges=edges,
            times=self.lags[rows] * self._frame.interval * self.timestep,
            origins=np.array([int(self._blocks[row].n) for row in rows]),
            self_part=value[:, 0, :-1],
            self_error=error[:, 0, :-1],
            distinct=value[:, 1, :-1],
            distinct_error=error[:, 1, :-1],
            relative=value[:, 2, :-1],
            relative_error=error[:, 2, :-1],
            beyond=value[:, 0, -1],
            stayed=tuple(estimate(value[0], error[0]) for value, error in near),
            replaced=tuple(estimate(value[1], error[1]) for value, error in near),
            density=float(n / volume),
            near=float(edges[close]),
        )

    def state(self) -> dict[str, np.ndarray]:
        return stored_parts(self._parts()) | {"waiting": self._waiting.copy(), "closest": np.array(self._closest)} | self._settings()

    def load(self, state: dict[str, np.ndarray]) -> None:
        check_settings(state, self._settings())
        load_parts(state, self._parts())
        self._waiting, self._closest = np.array(state["waiting"]), np.array(state["closest"])

    def _parts(self) -> dict[str, Part]:
        return {"frame": self._frame} | {f"blocks{row}": blocks for row, blocks in enumerate(self._blocks)}

    def _settings(self) -> dict[str, np.ndarray]:
        named = {name: np.array(getattr(self, name)) for name in ("timestep", "lags", "r_max", "n_bins", "near", "stride")}
        return self._frame.settings() | named

    def _moved(self, frames: Frames, begin: int, end: int) -> np.ndarray:
        """Displacements in the last of some frames, (n, 3), Å, all of which the lattice frame sees."""
        part = slice(begin, end)
        return self._frame.displacements(Frames(frames.steps[part], frames.positions[part], frames.cells[part]))[-1]

    def _count(self, then: np.ndarray, now: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """Of one origin, (3, n_bins + 1)."""
        volume = abs(np.linalg.det(cell))
        distance = np.linalg.norm((now - then) @ cell, axis=1)
        place = np.minimum((distance * (self.n_bins / self.r_max)).astype(np.int64), self.n_bins)
        distinct = distinct_distances(then, now, cell, self.r_max, self.n_bins)
        return np.stack([np.bincount(place, minlength=self.n_bins + 1), np.append(distinct, 0), np.append(distinct, 1) * volume])
