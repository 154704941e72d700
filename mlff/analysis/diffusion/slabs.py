"""Diffusion slab by slab along an axis of the cell, such as across a grain boundary, and how many ions are in each slab."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from mlff.analysis.accumulator import Part, check_settings, load_parts, stored_parts
from mlff.analysis.diffusion.msd import full_tensor
from mlff.analysis.diffusion.slab_motion import PARTS, SlabMotion
from mlff.analysis.estimate import SURE, Estimate, no_result
from mlff.analysis.framework.lattice_frame import LatticeFrame
from mlff.analysis.statistics.blocks import Blocks
from mlff.analysis.statistics.counts_in_time import CountsInTime
from mlff.analysis.statistics.event_rate import NONE_SEEN
from mlff.analysis.statistics.jackknife import jackknife
from mlff.analysis.system import NotApplicable, System
from mlff.trajectory import Frames
from mlff.units import CM2_PER_S, PS

AXES = ("a", "b", "c")
DIRECTIONS = {"all": 3, "along": 1, "in_plane": 2}  # and their number of dimensions
UNIT = "cm²/s"
JUMP = 3.0  # Å, of one hop, for the bound where nobody hopped


@dataclass(frozen=True)
class Slabs:
    """regions: their names. edges: (n_slabs,), fractions at which slabs begin. region_of: (n_slabs,), number of the region of each.

    axis: a, b or c. height: Å, of the mean cell across the slabs. lags: (n_lags,), fs. origins: how many were completed.
    Directions: "along" the normal of the slabs' faces (the axis itself, where the cell is not skewed), "in_plane", and "all" three.

    By region and direction, (n_lags,), Å²; NaN where no ion was:
    msd, msd_error: of all ions that were in the region at the time origin, wherever they went. They leave it, and then tell of its
        neighbours: only lags short against the residence tell of the region.
    msd_staying, msd_staying_error: of the ions that were in the region in every frame until the lag. In the plane that is right at any
        lag (Liu, Harder and Berne, J. Phys. Chem. B 108, 6595, 2004); along the normal it is held below the width of the slab.
    staying: by region, (n_lags,), share of the ions that have not left.

    diffusivity: by region and direction, cm²/s, slope of msd / 2d. diffusivity_staying: by region, in the plane, of msd_staying.
    times: (n_times,), fs, middle of intervals since the start of the run. ion_frames: (n_times, n_regions) int64, ions × frames counted
        in each; frames: (n_times,) int64. Their sum over the regions is the number of ions × frames, exactly.
    """

    regions: tuple[str, ...]
    edges: np.ndarray
    region_of: np.ndarray
    axis: str
    height: float
    lags: np.ndarray
    origins: int
    msd: dict[tuple[str, str], np.ndarray]
    msd_error: dict[tuple[str, str], np.ndarray]
    msd_staying: dict[tuple[str, str], np.ndarray]
    msd_staying_error: dict[tuple[str, str], np.ndarray]
    staying: dict[str, np.ndarray]
    diffusivity: dict[tuple[str, str], Estimate]
    diffusivity_staying: dict[str, Estimate]
    times: np.ndarray
    ion_frames: np.ndarray
    frames: np.ndarray

    @property
    def numbers(self) -> np.ndarray:
        """Ions in each region, (n_times, n_regions), mean over each interval."""
        return self.ion_frames / self.frames[:, None]


class SlabAccumulator:
    """Ions are assigned to a slab by wrapped coordinates at the time origin, and displaced by unwrapped ones (papers/003, Fig. 5c, d).

    Slabs are fixed in fractions of the cell, and, where nothing takes up momentum, move with the framework. The slope is that of a
    line with intercept (the vibrations) through the lags from a fifth of the longest on. Errors: a jackknife over stretches of time
    that are no shorter than the longest lag.

    Args:
        symbols: of each atom. ions: (n,) indices. frame_time: fs.
        axis: 0 to 2. edges: ascending fractions in [0, 1) at which slabs begin; the last goes on through the boundary of the cell.
        regions: a name of each slab; those of one name are counted together, as the two boundaries of a cell are. None: numbered.
        lags: (n_lags,), ascending, frames. stride: frames from origin to origin.
        drift: (n_atoms,) weights of the atoms whose common motion is taken out; None for none.
        least_msd: Å², in three dimensions, at the longest lag; less is vibration, and there is only a bound.
    """

    reads = "frames"

    def __init__(
        self,
        symbols: Sequence[str],
        ions: np.ndarray,
        frame_time: float,
        axis: int,
        edges: Sequence[float],
        regions: Sequence[str] | None = None,
        lags: Sequence[int] = (1, 2, 3),
        stride: int = 1,
        drift: np.ndarray | None = None,
        least_msd: float = 3.0,
    ):
        edges, lags = np.asarray(edges, float), np.asarray(lags, np.int64)
        if not len(edges) or not ((edges >= 0) & (edges < 1)).all() or not (np.diff(edges) > 0).all():
            raise ValueError(
                f"found the edges {edges.tolist()}, expected ascending fractions in [0, 1); the last slab goes on to the first edge"
            )
        names = [str(k + 1) for k in range(len(edges))] if regions is None else [str(name) for name in regions]
        if len(names) != len(edges):
            raise ValueError(f"found {len(names)} names of {len(edges)} slabs, expected one each; name the slabs from the first edge on")
        if not len(lags) or lags[0] < 1 or not (np.diff(lags) > 0).all() or stride < 1:
            raise ValueError(f"found lags {lags.tolist()} and stride {stride}, expected ascending lags and a stride of at least 1 frame")
        if axis not in (0, 1, 2) or not frame_time > 0:
            raise ValueError(f"found axis {axis} and frames {frame_time} fs apart, expected an axis from 0 to 2 and a positive time")
        self.symbols, self.frame_time, self.least_msd = tuple(symbols), float(frame_time), float(least_msd)
        self.regions = tuple(dict.fromkeys(names))
        self._lattice = LatticeFrame(ions, drift)
        number_of = np.array([self.regions.index(name) for name in names])
        self._motion = SlabMotion(len(self._lattice.atoms), int(axis), edges, number_of, lags, int(stride))
        self._blocks = Blocks((len(lags), len(self.regions), 2, PARTS))
        self._counts = CountsInTime(len(self.regions))
        self._others = np.zeros((3, 3))  # sum of the cells of merged runs
        self._other_frames = np.zeros((), np.int64)

    @classmethod
    def of(
        cls,
        system: System,
        axis: str = "c",
        n_slabs: int = 10,
        edges: Sequence[float] | None = None,
        regions: Sequence[str] | None = None,
        longest_lag: float = 50.0,
        n_lags: int = 20,
        origins: int = 64,
        least_msd: float = 3.0,
    ) -> Self:
        """Of the mobile ions. longest_lag: ps, at most a quarter of a run of known length. origins: time origins that live at once."""
        if not len(system.ions):
            raise NotApplicable(f"found no {system.mobile}, expected the ions that diffuse; name them with `mobile`")
        if not (np.all(system.pbc) and abs(np.linalg.det(system.cell)) > 0):
            raise NotApplicable("the cell is not periodic along all axes, expected a crystal or a glass in a box; leave the slabs out")
        if axis not in AXES:
            raise ValueError(f"found the axis {axis!r}, expected a, b or c; name the cell vector that crosses the slabs")
        if n_slabs < 1 or n_lags < 1 or origins < 1 or not longest_lag > 0:
            raise ValueError(
                f"found n_slabs {n_slabs}, n_lags {n_lags}, origins {origins} and longest_lag {longest_lag} ps; expected positive numbers"
            )
        last = system.frames_for(longest_lag)
        if system.n_frames:
            last = max(1, min(last, system.n_frames // 4))
        lags = np.unique(np.maximum(1, np.round(np.arange(1, n_lags + 1) * last / n_lags))).astype(int)
        begin = np.arange(n_slabs) / n_slabs if edges is None else edges
        stride = max(1, last // origins)
        return cls(system.symbols, system.ions, system.frame_time, AXES.index(axis), begin, regions, lags, stride, system.drift, least_msd)

    def update(self, frames: Frames) -> None:
        """Raises: ValueError: frames not evenly spaced, a cell without volume, or another number of atoms."""
        if not len(frames):
            return
        if frames.positions.shape[1] != len(self.symbols):
            raise ValueError(f"found frames of {frames.positions.shape[1]} atoms, expected {len(self.symbols)}; give frames of one run")
        lattice = self._lattice
        displaced = lattice.displacements(frames)
        counts, finished = self._motion.update((displaced + lattice.start[lattice.atoms]) @ np.linalg.inv(lattice.cell))
        self._counts.add(counts)
        for sums in finished:
            self._blocks.add(sums)

    def merge(self, other: "SlabAccumulator") -> None:
        """Takes in independent runs of the same ions; numbers of ions are averaged at equal times since the start of each."""
        check_settings(other._settings(), self._settings())
        self._blocks.merge(other._blocks)
        self._counts.merge(other._counts)
        self._others = self._others + other._others + other._lattice.seen * other._lattice.mean_cell
        self._other_frames = self._other_frames + other._other_frames + other._lattice.seen

    def result(self) -> Slabs:
        """Raises: ValueError: no frame was counted."""
        n_frames = self._lattice.seen + self._other_frames
        if not n_frames:
            raise ValueError("found no frame, expected at least one; update with frames first")
        cell = (self._lattice.seen * self._lattice.mean_cell + self._others) / n_frames
        motion, n = self._motion, int(self._blocks.n)
        lags = motion.lags * self.frame_time
        shape = (2, len(self.regions), len(DIRECTIONS), len(lags))
        msd, msd_error, shares = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape[1::2], np.nan)
        slopes, slope_errors = np.full(shape[:3], np.nan), np.full(shape[:3], np.nan)
        if n:
            least = -(-int(motion.lags[-1]) // motion.stride)
            with np.errstate(invalid="ignore", divide="ignore"):  # of regions without ions
                msd, msd_error = jackknife(self._blocks, lambda mean: _msd(mean, cell, motion.axis), least)
                slopes, slope_errors = jackknife(self._blocks, lambda mean: _slopes(lags, _msd(mean, cell, motion.axis)), least)
                mean = self._blocks.mean()
                shares = (mean[:, :, 1, 0] / mean[:, :, 0, 0]).T
        ion_time = self._counts.sums.sum(0) * self.frame_time
        values: list[dict] = [{}, {}]
        for kind in range(2):
            for r, region in enumerate(self.regions):
                for k, (direction, d) in enumerate(DIRECTIONS.items()):
                    value, error, end = slopes[kind, r, k] / (2 * d), slope_errors[kind, r, k] / (2 * d), msd[kind, r, k, -1]
                    values[kind][region, direction] = self._judged(value, error, end, d, float(ion_time[r]), n)
        pairs = [(r, region, k, direction) for r, region in enumerate(self.regions) for k, direction in enumerate(DIRECTIONS)]
        curves = [{(name, way): a[kind, r, k] for r, name, k, way in pairs} for kind in range(2) for a in (msd, msd_error)]
        length = int(self._counts.length)
        return Slabs(
            self.regions,
            motion.edges.copy(),
            motion.region_of.copy(),
            AXES[motion.axis],
            float(1 / np.linalg.norm(np.linalg.inv(cell)[:, motion.axis])),
            lags,
            n,
            *curves,
            {region: shares[r] for r, region in enumerate(self.regions)},
            values[0],
            {region: values[1][region, "in_plane"] for region in self.regions},
            (length * np.arange(len(self._counts.sums)) + (np.minimum(length, self._counts.frames) - 1) / 2) * self.frame_time,
            self._counts.sums.copy(),
            self._counts.frames.copy(),
        )

    def state(self) -> dict[str, np.ndarray]:
        return (
            stored_parts(self._parts()) | {"others": self._others.copy(), "other_frames": np.array(self._other_frames)} | self._settings()
        )

    def load(self, state: dict[str, np.ndarray]) -> None:
        check_settings(state, self._settings())
        load_parts(state, self._parts())
        self._others, self._other_frames = np.array(state["others"]), np.array(state["other_frames"])

    def _parts(self) -> dict[str, Part]:
        return {"lattice": self._lattice, "motion": self._motion, "blocks": self._blocks, "counts": self._counts}

    def _settings(self) -> dict[str, np.ndarray]:
        """least_msd, asked for in the result alone, is free."""
        m = self._motion
        names = np.array([self.regions[k] for k in m.region_of])
        numbers = {"frame_time": self.frame_time, "axis": m.axis, "edges": m.edges, "regions": names, "lags": m.lags, "stride": m.stride}
        return {"symbols": np.array(self.symbols)} | self._lattice.settings() | {name: np.array(x) for name, x in numbers.items()}

    def _judged(self, value: float, error: float, end: float, dimensions: int, ion_time: float, n: int) -> Estimate:
        """cm²/s, from Å²/fs; a bound where the ions do not diffuse within the longest lag. end: MSD there, Å²."""
        if not n:
            return no_result("the run is shorter than the longest lag", UNIT)
        if not np.isfinite(value):
            return no_result("no ion was there", UNIT)
        if not np.isfinite(error):
            return no_result("the run is too short for an error", UNIT)
        value, error, least = value / CM2_PER_S, error / CM2_PER_S, self.least_msd * dimensions / 3
        reason = ""
        if end < least:
            lag = self._motion.lags[-1] * self.frame_time / PS
            reason = f"the MSD reaches {end:.2g} Å² in {lag:.3g} ps, less than {least:.2g}"
        elif value < 2 * error:
            reason = "the slope is less than twice its error"
        if not reason:
            return Estimate(float(value), float(error), unit=UNIT)
        unseen = NONE_SEEN * JUMP**2 / (6 * ion_time * CM2_PER_S)  # so many hops may have been missed by chance
        return Estimate(None, upper=float(max(max(value, 0.0) + SURE * error, unseen)), unit=UNIT, reason=reason)


def _msd(mean: np.ndarray, cell: np.ndarray, axis: int) -> np.ndarray:
    """Sums (n_lags, n_regions, 2, 7) of fractions → MSD (2, n_regions, 3 directions, n_lags), Å²."""
    fractions = full_tensor(mean[..., 1:] / mean[..., :1])
    tensor = np.einsum("lrkab,ac,bd->lrkcd", fractions, cell, cell)
    normal = np.linalg.inv(cell)[:, axis]
    normal = normal / np.linalg.norm(normal)
    whole, along = np.einsum("lrkcc->lrk", tensor), np.einsum("lrkcd,c,d->lrk", tensor, normal, normal)
    return np.stack([whole, along, whole - along]).transpose(3, 2, 0, 1)


def _slopes(lags: np.ndarray, msd: np.ndarray) -> np.ndarray:
    """Of lines through MSD (…, n_lags) from a fifth of the longest lag on, with weights 1/t² as its variance grows; Å²/fs.

    With one lag alone, the slope of the line from 0.
    """
    inside = lags >= 0.2 * lags[-1]
    t, y = lags[inside], msd[..., inside]
    if len(t) < 2:
        return y[..., 0] / t[0]
    weights = 1 / t**2
    centred = weights * (t - (weights * t).sum() / weights.sum())
    return y @ (centred / (centred * t).sum())
