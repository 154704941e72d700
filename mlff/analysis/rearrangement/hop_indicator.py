"""Hops of the mobile ions by p_hop: its distribution, the events with their times and displacements, and who stays quiet."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from mlff.analysis.accumulator import Part, check_settings, load_parts, stored_parts
from mlff.analysis.estimate import Estimate, no_result
from mlff.analysis.framework.lattice_frame import LatticeFrame
from mlff.analysis.rearrangement.hop_events import HopEvents
from mlff.analysis.rearrangement.p_hop import Windows
from mlff.analysis.statistics.blocks import Blocks
from mlff.analysis.statistics.event_rate import event_rate
from mlff.analysis.statistics.merged_runs import loaded_runs, stored_runs
from mlff.analysis.system import NotApplicable, System
from mlff.trajectory import Frames
from mlff.units import PS

DECADES, PER_DECADE = (-3, 3), 20  # of p_hop in Å², and bins in each: what lies outside is counted in the first or the last bin
EDGES = 10.0 ** np.linspace(*DECADES, (DECADES[1] - DECADES[0]) * PER_DECADE + 1)
TOGETHER = 256  # moments that are one sample of the errors


@dataclass(frozen=True)
class RunHops:
    """The events of one run, by ion and by time for each. Times are steps, as the frames of the run are numbered.

    counts: (n_ions,), events of each ion, in the order of the mobile ions: the ion of each event is `ion`.
    start, peak, end: (n_events,): the motion lies between start and end; the structure before it is that of `start` or earlier.
    p_hop: (n_events,), at the peak, Å². displacement: (n_events, 3), r̄_B − r̄_A at the peak, Å.
    quiet_counts: (n_ions,). quiet: (n_stretches, 2), first and last step with p_hop below the lower threshold.
    moments: (), at which each ion was judged. quiet_moments: (n_ions,), how many of them lie in quiet stretches.
    interval: (), fs, between them. dropped: (), events that had not closed.
    """

    counts: np.ndarray
    start: np.ndarray
    peak: np.ndarray
    end: np.ndarray
    p_hop: np.ndarray
    displacement: np.ndarray
    quiet_counts: np.ndarray
    quiet: np.ndarray
    moments: np.ndarray
    quiet_moments: np.ndarray
    interval: np.ndarray
    dropped: np.ndarray

    @property
    def ion(self) -> np.ndarray:
        """(n_events,), which of the mobile ions each event is of."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @property
    def time(self) -> float:
        """ps, for which each ion was watched."""
        return float(self.moments * self.interval) / PS


@dataclass(frozen=True)
class HopIndicator:
    """edges: (n_bins + 1,), Å², even in the logarithm. distribution, error: (n_bins,), share of ions and moments per decade of p_hop; the
    error is the scatter of blocks of time, NaN where the run is too short to tell.

    runs: independent runs of the same ions. rate: events per ion and ps. displacement: mean |r̄_B − r̄_A| of the events, Å.
    quiet: share of the time that ions spend in quiet stretches. window: fs, of each of A and B. cut, low: Å².
    """

    edges: np.ndarray
    distribution: np.ndarray
    error: np.ndarray
    runs: tuple[RunHops, ...]
    rate: Estimate
    displacement: Estimate
    quiet: Estimate
    window: float
    cut: float
    low: float


class HopIndicatorAccumulator:
    """p_hop of each ion at every frame (`p_hop`), in the lattice frame and without drift, and its events (`hop_events`).

    Memory grows with the number of events and quiet stretches, not with the time in which none happens.

    Args:
        ions: (n,) indices. n: frames in each window, at least 2. timestep: fs, of one step in `Frames.steps`.
        cut: Å², where an event opens and closes. low: Å², below which an ion is quiet, and quiet: frames, at least so long.
        drift: (n_atoms,) weights whose mean displacement is taken away, or None.
    """

    reads = "frames"

    def __init__(self, ions: np.ndarray, n: int, timestep: float, cut: float, low: float, quiet: int, drift: np.ndarray | None = None):
        if not (n >= 2 and timestep > 0):
            raise ValueError(f"found windows of {n} frames and a timestep of {timestep} fs, expected at least 2 frames and a positive time")
        self.n, self.timestep, self.cut, self.low, self.least = int(n), float(timestep), float(cut), float(low), int(quiet)
        self._frame = LatticeFrame(ions, drift)
        self._windows = Windows(len(self._frame.atoms), self.n)
        self._events = HopEvents(len(self._frame.atoms), self.n, self.cut, self.low, self.least)
        self._blocks = Blocks((len(EDGES),))  # counts of the bins, and events that closed
        self._open = np.zeros(len(EDGES))
        self._runs: tuple[RunHops, ...] = ()

    @classmethod
    def of(cls, system: System, window: float = 1.0, cut: float = 2.0, low: float = 0.5, quiet: float = 10.0) -> Self:
        """Of the mobile ions; window, quiet: ps. Raises NotApplicable where frames are too far apart for the window."""
        if not len(system.ions):
            raise NotApplicable(f"the structure holds no {system.mobile}, expected mobile ions; name the ion that moves with `mobile`")
        if (n := system.frames_for(window)) < 2:
            raise NotApplicable(
                f"frames lie {system.frame_time:g} fs apart, expected at least 2 in a window of {window:g} ps; widen `window`, or store "
                "frames more often"
            )
        return cls(system.ions, n, system.timestep, cut, low, system.frames_for(quiet), system.drift)

    def update(self, frames: Frames) -> None:
        """Raises: ValueError: frames not evenly spaced, a cell without volume, or another number of atoms."""
        u, begin = self._frame.displacements(frames), 0
        while begin < len(u):  # up to where a sample of the errors ends
            done = int(self._windows.seen) - (2 * self.n - 1)
            part = u[begin : begin + TOGETHER - done % TOGETHER]
            p, moved = self._windows.update(part)
            self._open[-1] += self._events.update(p, moved)
            place = (np.log10(np.maximum(p, EDGES[0])) - DECADES[0]) * PER_DECADE
            self._open[:-1] += np.bincount(np.minimum(place.astype(np.int64), len(EDGES) - 2).ravel(), minlength=len(EDGES) - 1)
            begin, done = begin + len(part), done + len(part)
            if done > 0 and done % TOGETHER == 0:
                self._blocks.add(self._open)
                self._open = np.zeros_like(self._open)

    def merge(self, other: "HopIndicatorAccumulator") -> None:
        """Takes in independent runs of the same ions; a later part of one run goes to `update`, in order."""
        check_settings(other._settings(), self._settings())
        own, others = self._finished(), other._finished()
        spacings = sorted({float(run.interval) for run in own + others})
        if len(spacings) > 1:
            raise ValueError(f"found runs with frames {spacings} fs apart, expected one spacing; read them with strides that agree")
        self._runs = (*self._runs, *others)
        self._blocks.merge(other._blocks)
        self._blocks.total = self._blocks.total + other._open

    def result(self) -> HopIndicator:
        """Raises: ValueError: fewer frames than the two windows hold."""
        runs = self._finished()
        if not runs:
            raise ValueError(
                f"found {self._frame.seen} frames, expected at least {2 * self.n}, those of both windows; give a longer run or a "
                "shorter window"
            )
        total = self._blocks.total + self._open
        scale = PER_DECADE / total[:-1].sum()
        share = PER_DECADE / (TOGETHER * len(self._frame.atoms))
        return HopIndicator(
            EDGES.copy(),
            total[:-1] * scale,
            self._blocks.error()[:-1] * share,
            runs,
            self._rate(runs),
            _displacement(runs),
            _quiet(runs),
            self.n * float(runs[0].interval),
            self.cut,
            self.low,
        )

    def state(self) -> dict[str, np.ndarray]:
        return stored_parts(self._parts()) | stored_runs(self._runs) | {"open": self._open.copy()} | self._settings()

    def load(self, state: dict[str, np.ndarray]) -> None:
        check_settings(state, self._settings())
        load_parts(state, self._parts())
        self._runs, self._open = loaded_runs(state, RunHops), np.array(state["open"])

    def _parts(self) -> dict[str, Part]:
        return {"frame": self._frame, "windows": self._windows, "events": self._events, "blocks": self._blocks}

    def _settings(self) -> dict[str, np.ndarray]:
        return self._frame.settings() | {name: np.array(getattr(self, name)) for name in ("n", "timestep", "cut", "low", "least")}

    def _finished(self) -> tuple[RunHops, ...]:
        """Of this run, where it has a moment, and of those that were merged."""
        moments, n_ions = self._frame.seen - 2 * self.n + 1, len(self._frame.atoms)
        if moments < 1:
            return self._runs
        (frames, sizes), quiet = self._events.events(), self._events.quiet()
        start, peak, end = (self._frame.step(frames[:, k]) for k in (1, 2, 3))
        own = RunHops(
            counts=np.bincount(frames[:, 0], minlength=n_ions),
            start=start,
            peak=peak,
            end=end,
            p_hop=sizes[:, 0],
            displacement=sizes[:, 1:],
            quiet_counts=np.bincount(quiet[:, 0], minlength=n_ions),
            quiet=self._frame.step(quiet[:, 1:]),
            moments=np.array(moments),
            quiet_moments=np.bincount(quiet[:, 0], quiet[:, 2] - quiet[:, 1] + 1, minlength=n_ions).astype(np.int64),
            interval=np.array(self.timestep * self._frame.interval),
            dropped=np.array(self._events.n_open),
        )
        return (own, *self._runs)

    def _rate(self, runs: tuple[RunHops, ...]) -> Estimate:
        """The error is the largest of what chance makes of as many events, of the scatter of the ions, and of blocks of time."""
        time = sum(run.time * len(run.counts) for run in runs)
        n = sum(int(run.counts.sum()) for run in runs)
        own, others = np.concatenate([run.counts / run.time for run in runs]), []
        if len(own) > 1:
            others.append(own.std(ddof=1) / np.sqrt(len(own)))
        if len(self._blocks.sums) > 1:
            others.append(self._blocks.error()[-1] * PS / (TOGETHER * float(runs[0].interval) * len(runs[0].counts)))
        return event_rate(n, time, "no event was seen", tuple(others))


def _displacement(runs: tuple[RunHops, ...]) -> Estimate:
    lengths = np.concatenate([np.linalg.norm(run.displacement, axis=1) for run in runs])
    if not len(lengths):
        return no_result("no event was seen", "Å")
    error = lengths.std(ddof=1) / np.sqrt(len(lengths)) if len(lengths) > 1 else lengths[0]
    return Estimate(float(lengths.mean()), float(error), unit="Å")


def _quiet(runs: tuple[RunHops, ...]) -> Estimate:
    """Error from the scatter of the ions; with one ion nothing tells it."""
    own = np.concatenate([run.quiet_moments / run.moments for run in runs])
    if len(own) < 2:
        return no_result("one ion does not tell how ions differ")
    return Estimate(float(own.mean()), float(own.std(ddof=1) / np.sqrt(len(own))))
