"""Non-affine motion of the mobile ions: D²_min over increments of time, its distribution, and its sum for each ion."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from mlff.analysis.accumulator import check_settings, load_parts, stored_parts
from mlff.analysis.estimate import Estimate, no_result
from mlff.analysis.rearrangement.falk_langer import d2_min, reference_neighbours
from mlff.analysis.statistics.blocks import Blocks
from mlff.analysis.system import NotApplicable, System
from mlff.trajectory import Frames

DECADES, PER_DECADE = (-4, 4), 20  # of D²_min in Å², and bins in each: what lies outside is counted in the first or the last bin
EDGES = 10.0 ** np.linspace(*DECADES, (DECADES[1] - DECADES[0]) * PER_DECADE + 1)
SHARES = (10, 50, 90)  # %, of the ions that lie below a percentile


@dataclass(frozen=True)
class NonAffineMotion:
    """D²_min of the ions over increments of one length.

    edges: (n_bins + 1,), Å², even in the logarithm. distribution, error: (n_bins,), share of ions per decade of D²_min; the error is the
        scatter of blocks of time, NaN with fewer than two increments. It integrates to 1 over log10 D²_min.
    mean: Å². percentiles: by the share of ions below, %, Å².
    d_cum: (n_runs, n_ions), Å², sum of D²_min of each ion over its run; NaN where one of the increments had too few neighbours.
    increments: (n_runs,), how many were summed; d_cum grows with it. increment: fs.
    missing: share of ions and increments without a value.
    """

    edges: np.ndarray
    distribution: np.ndarray
    error: np.ndarray
    mean: Estimate
    percentiles: dict[str, Estimate]
    d_cum: np.ndarray
    increments: np.ndarray
    increment: float
    missing: float


class NonAffine:
    """D²_min between frames `stride` apart, each pair with the neighbours of its first frame; see `falk_langer`.

    Args:
        ions: (n,) indices. stride: frames from one end of an increment to the other. timestep: fs, of one step in `Frames.steps`.
        r_max: Å, of neighbours of any species. per_neighbour: D²_min as a mean over the neighbours instead of the sum.
    """

    reads = "frames"

    def __init__(self, ions: np.ndarray, stride: int, timestep: float, r_max: float = 5.0, per_neighbour: bool = False):
        self.ions = np.asarray(ions, np.int64)
        if not (len(self.ions) and stride >= 1 and r_max > 0 and timestep > 0):
            raise ValueError(
                f"found {len(self.ions)} ions, stride {stride}, r_max {r_max} Å, timestep {timestep} fs; expected at least one ion and "
                "positive numbers; choose a species that the structure has"
            )
        self.stride, self.timestep, self.r_max, self.per_neighbour = int(stride), float(timestep), float(r_max), bool(per_neighbour)
        self._blocks = Blocks((len(EDGES) + 1,))  # counts of the bins, Σ D²_min, ions with a value
        self._sums = np.zeros((1, len(self.ions)))  # by run, the own first
        self._increments = np.zeros(1, np.int64)
        self._positions, self._cell = np.zeros((0, 3)), np.zeros((3, 3))  # of the frame that is the reference
        self._clock = np.zeros(3, np.int64)  # frames seen, step of the last end of an increment, steps in an increment

    @classmethod
    def of(cls, system: System, increment: float = 1.0, r_max: float = 5.0, per_neighbour: bool = False) -> Self:
        """Of the mobile ions; increment: ps, rounded to whole frames."""
        if not len(system.ions):
            raise NotApplicable(f"the structure holds no {system.mobile}, expected mobile ions; name the ion that moves with `mobile`")
        return cls(system.ions, system.frames_for(increment), system.timestep, r_max, per_neighbour)

    def update(self, frames: Frames) -> None:
        """Raises: ValueError: increments of several lengths, or another number of atoms."""
        for k in range(int(-self._clock[0] % self.stride), len(frames), self.stride):
            positions, cell = np.array(frames.positions[k], float), np.array(frames.cells[k], float)
            if len(self._positions):
                self._add(positions, cell, int(frames.steps[k]))
            self._positions, self._cell, self._clock[1] = positions, cell, frames.steps[k]
        self._clock[0] += len(frames)

    def merge(self, other: "NonAffine") -> None:
        """Takes in independent runs of the same ions; a later part of one run goes to `update`, in order."""
        check_settings(other._settings() | {"stride": np.array(self.stride)}, self._settings())
        if self._clock[2] and other._clock[2] and self._clock[2] != other._clock[2]:
            raise ValueError(
                f"found increments of {self._clock[2]} and of {other._clock[2]} steps, expected one length; read both with one stride"
            )
        self._clock[2] = self._clock[2] or other._clock[2]
        self._blocks.merge(other._blocks)
        seen = other._increments > 0
        self._sums = np.concatenate([self._sums, other._sums[seen]])
        self._increments = np.concatenate([self._increments, other._increments[seen]])

    def result(self) -> NonAffineMotion:
        """Raises: ValueError: no increment was seen."""
        if not self._blocks.n:
            raise ValueError(
                f"found {self._clock[0]} frames, expected more than {self.stride}, the length of an increment; give a longer run or a "
                "shorter increment"
            )
        total, n = self._blocks.total, int(self._blocks.n)
        counts, valid, ions = total[:-2], total[-1], n * len(self.ions)
        seen = self._increments > 0
        scale = PER_DECADE / max(valid, 1)
        return NonAffineMotion(
            EDGES.copy(),
            counts * scale,
            self._blocks.error()[:-2] * n * scale,
            self._mean(seen),
            {f"{share} %": self._percentile(share / 100) for share in SHARES},
            self._sums[seen],
            self._increments[seen],
            self.timestep * float(self._clock[2]),
            1 - float(valid) / ions,
        )

    def state(self) -> dict[str, np.ndarray]:
        arrays = {name: np.array(getattr(self, f"_{name}")) for name in ("sums", "increments", "positions", "cell", "clock")}
        return stored_parts({"blocks": self._blocks}) | arrays | self._settings()

    def load(self, state: dict[str, np.ndarray]) -> None:
        check_settings(state, self._settings())
        load_parts(state, {"blocks": self._blocks})
        for name in ("sums", "increments", "positions", "cell", "clock"):
            setattr(self, f"_{name}", np.array(state[name]))

    def _settings(self) -> dict[str, np.ndarray]:
        names = ("ions", "stride", "timestep", "r_max", "per_neighbour")
        return {name: np.array(getattr(self, name)) for name in names}

    def _add(self, positions: np.ndarray, cell: np.ndarray, step: int) -> None:
        if positions.shape != self._positions.shape:
            raise ValueError(f"found frames of {len(positions)} atoms after frames of {len(self._positions)}; give frames of one run")
        steps = step - int(self._clock[1])
        self._clock[2] = self._clock[2] or steps
        if steps != self._clock[2] or steps <= 0:
            raise ValueError(
                f"found an increment of {steps} steps up to step {step} after ones of {self._clock[2]}, expected one length; read with a "
                "stride that the whole run has"
            )
        edges, shifts = reference_neighbours(self._positions, self._cell, self.r_max, self.ions)
        found = d2_min(self._positions, positions, self._cell, cell, edges, shifts, self.per_neighbour)[self.ions]
        self._sums[0] += found
        self._increments[0] += 1
        known = found[np.isfinite(found)]
        place = (np.log10(np.maximum(known, EDGES[0])) - DECADES[0]) * PER_DECADE
        counts = np.bincount(np.minimum(place.astype(np.int64), len(EDGES) - 2), minlength=len(EDGES) - 1)
        self._blocks.add(np.concatenate([counts, [known.sum(), len(known)]]))

    def _mean(self, seen: np.ndarray) -> Estimate:
        """Its error from blocks of time or from the scatter of the ions' own means, whichever is larger: either alone may miss that few
        ions move, or that they move together."""
        total = self._blocks.total
        if not total[-1]:
            return no_result("no ion has 4 neighbours that are not in a plane; widen r_max", "Å²")
        errors = [0.0]
        if len(self._blocks.sums) > 1 and (self._blocks.sums[:, -1] > 0).all():
            means = self._blocks.sums[:, -2] / self._blocks.sums[:, -1]
            errors.append(means.std(ddof=1) / np.sqrt(len(means)))
        own = (self._sums[seen] / self._increments[seen, None]).ravel()
        own = own[np.isfinite(own)]
        if len(own) > 1:
            errors.append(own.std(ddof=1) / np.sqrt(len(own)))
        value = float(total[-2] / total[-1])
        return Estimate(value, float(max(errors)) if len(errors) > 1 else value, unit="Å²")

    def _percentile(self, share: float) -> Estimate:
        counts = self._blocks.total[:-2]
        if not counts.sum():
            return no_result("no ion has 4 neighbours that are not in a plane; widen r_max", "Å²")
        value = quantile(counts, share)
        if value <= EDGES[1]:
            return Estimate(None, upper=float(EDGES[1]), unit="Å²", reason="below the bins")
        if value >= EDGES[-2]:
            return Estimate(None, lower=float(EDGES[-2]), unit="Å²", reason="above the bins")
        blocks = [quantile(c, share) for c in self._blocks.sums[:, :-2] if c.sum()]
        width = value * np.log(10) / PER_DECADE / np.sqrt(12)  # of the place within a bin
        error = np.std(blocks, ddof=1) / np.sqrt(len(blocks)) if len(blocks) > 1 else value
        return Estimate(value, float(np.hypot(error, width)), unit="Å²")


def quantile(counts: np.ndarray, share: float) -> float:
    """Below which so large a share of the counts lies, Å², even in the logarithm within a bin."""
    below = np.concatenate([[0.0], np.cumsum(counts)])
    return float(10.0 ** np.interp(share * below[-1], below, np.log10(EDGES)))
