"""Angles within the tetrahedra of a host lattice and how fast they change: papers/001, equations 4 and 5."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numba import njit

from mlff.analysis.accumulator import Part, check_settings, load_parts, stored_parts
from mlff.analysis.anions.tetrahedra import Tetrahedra, tetrahedra_of
from mlff.analysis.estimate import Estimate
from mlff.analysis.statistics.blocks import Blocks
from mlff.analysis.statistics.bounded_trace import BoundedTrace
from mlff.analysis.statistics.even_steps import count_steps
from mlff.analysis.statistics.jackknife import estimate, jackknife
from mlff.analysis.statistics.low_pass import LowPass
from mlff.analysis.system import System
from mlff.trajectory import Frames

GROUP = 16  # frames whose sums go together into the blocks of the errors
MOMENTS = 8  # sums behind the two histograms: n, θ, θ², θ³, number of ω, ω², number of single steps, their squares


@dataclass(frozen=True)
class TetrahedronAngles:
    """θ and ω of the tetrahedra of one kind. Errors are of blocks of time, NaN with fewer than two.

    theta: (n_bins,), middle of the bins, °. density, error: ρ(θ), (n_bins,), 1/°; its integral is 1.
    filtered, filtered_error: ρ of θ behind the low-pass filter, (n_bins,), 1/°; NaN where the run is shorter than the filter.
    omega: (n_omega,), °/fs. omega_density, omega_error: ρ(ω), (n_omega,), fs/°, of θ as it is, unfiltered; NaN below three frames.
    outside: share of ω beyond the bins.
    mean, spread: of θ, °, and skewness; omega_rms: √⟨ω²⟩, °/fs. The mean of the twelve angles of any tetrahedron is 60° exactly.
    resolved: ⟨ω²⟩ dt² over that of single steps, cos²(x/2) of a vibration that turns by x radians of phase from frame to frame:
        1 where frames are close enough for ω, below 0.9 where a vibration has fewer than ten of them; NaN below three frames.
    ideal: °, of the undistorted tetrahedron. n_tetrahedra: followed, of n_all. n_angles: of each.
    times, trace: (n_points,), fs, and (n_points, n_traces), °, of a few angles. filtered_times, filtered_trace: the same, filtered.
    """

    theta: np.ndarray
    density: np.ndarray
    error: np.ndarray
    filtered: np.ndarray
    filtered_error: np.ndarray
    omega: np.ndarray
    omega_density: np.ndarray
    omega_error: np.ndarray
    outside: float
    mean: Estimate
    spread: Estimate
    skewness: Estimate
    omega_rms: Estimate
    resolved: float
    ideal: float
    n_tetrahedra: int
    n_all: int
    n_angles: int
    times: np.ndarray
    trace: np.ndarray
    filtered_times: np.ndarray
    filtered_trace: np.ndarray


@dataclass(frozen=True)
class AnionAngles:
    """kinds: by kind of tetrahedron. others: kinds of anions that are no tetrahedra. frame_time: fs. cutoff: cm⁻¹. n_frames: seen."""

    kinds: dict[str, TetrahedronAngles]
    others: tuple[str, ...]
    frame_time: float
    cutoff: float
    n_frames: int


class AnionAnglesAccumulator:
    """θ_i = arccos(d_ij · d_ik / |d_ij| |d_ik|) between anions i, j, k of one tetrahedron, and ω(t) = (θ(t + dt) − θ(t − dt)) / 2 dt.

    Around a centre (PS4, SbS4; of P2S7 each half), all twelve angles S–S–S: 60° where nothing is distorted. Not the angle S–P–S of
    109.47°, which has another width. Of ions on a bcc lattice (AgI4, with silver in it or not) the apex of each face, between its two
    short edges: 70.53°; tetrahedra are of the same four iodide ions throughout. dt is the time between frames, in papers/001 one step:
    with frames farther apart, ω misses what vibrates faster.

    Args:
        width: of the bins of θ, °. omega_width, omega_max: of the bins of ω, and their ends on either side, °/fs.
        cutoff: of the low-pass filter, cm⁻¹ (see `LowPass`). frame_time: fs.
        traces: tetrahedra of each kind of which one angle is kept in time, the widest of the first frame. points: kept of each.
    """

    reads = "frames"

    def __init__(
        self,
        tetrahedra: list[Tetrahedra],
        first: Frames,
        frame_time: float,
        others: tuple[str, ...] = (),
        width: float = 1.0,
        omega_width: float = 0.02,
        omega_max: float = 3.0,
        cutoff: float = 5.0,
        traces: int = 2,
        points: int = 2000,
    ):
        if not (0 < width <= 90 and 0 < omega_width < omega_max and traces >= 0 and points >= 2):
            raise ValueError(
                f"found width {width}, omega_width {omega_width}, omega_max {omega_max}, traces {traces}, points {points}; expected "
                "0 < width ≤ 90 in °, 0 < omega_width < omega_max in °/fs, traces ≥ 0 and points ≥ 2"
            )
        self.tetrahedra, self.others, self.frame_time, self.cutoff = tetrahedra, others, float(frame_time), float(cutoff)
        self.n_theta, self.n_omega, self.omega_max = round(180 / width), 2 * round(omega_max / omega_width), float(omega_max)
        columns = self.n_theta + self.n_omega + MOMENTS
        starts = [kind.angles(first.positions[:1], first.cells[:1])[0] for kind in tetrahedra]
        self._chosen = [_widest(start.reshape(len(kind), -1), traces) for kind, start in zip(tetrahedra, starts, strict=True)]
        self._last = [np.zeros((2, len(start))) for start in starts]  # θ two frames ago and one frame ago
        self._filters = [LowPass(cutoff, frame_time, len(start)) for start in starts]
        self._traces = [BoundedTrace(len(chosen), points) for chosen in self._chosen]
        self._smooth = [BoundedTrace(len(chosen), points) for chosen in self._chosen]
        self._blocks = Blocks((len(tetrahedra), columns))
        self._filtered = [Blocks((self.n_theta,)) for _ in tetrahedra]  # one sample per output of the filter
        self._open = np.zeros((len(tetrahedra), columns))
        self._rest = np.zeros((len(tetrahedra), columns))  # of merged runs, less than a group
        self._clock = np.zeros(3, np.int64)  # frames seen, step of the last, steps between frames
        self._counted = np.zeros((), np.int64)  # frames of this run and of merged ones

    @classmethod
    def of(
        cls,
        system: System,
        width: float = 1.0,
        omega_width: float = 0.02,
        omega_max: float = 3.0,
        cutoff: float = 5.0,
        most: int = 200,
        traces: int = 2,
        points: int = 2000,
    ) -> Self:
        """Of at most so many tetrahedra of each kind. Raises: NotApplicable: no tetrahedra of anions."""
        if most < 1:
            raise ValueError(f"found most = {most}, expected at least 1 tetrahedron of each kind")
        first = Frames(np.zeros(1, np.int64), system.positions[None], system.cell[None])
        tetrahedra, others = tetrahedra_of(system, most)
        return cls(tetrahedra, first, system.frame_time, others, width, omega_width, omega_max, cutoff, traces, points)

    def update(self, frames: Frames) -> None:
        """Raises: ValueError: frames not evenly spaced, or a cell without volume."""
        begin, seen = 0, int(self._clock[0])
        count_steps(self._clock, frames.steps, "frames")
        while begin < len(frames):
            end = min(len(frames), begin + GROUP - (seen + begin) % GROUP)
            for k, kind in enumerate(self.tetrahedra):
                self._take(k, seen + begin, kind.angles(frames.positions[begin:end], frames.cells[begin:end]))
            self._counted = self._counted + (end - begin)
            if (seen + end) % GROUP == 0:
                self._blocks.add(self._open)
                self._open = np.zeros_like(self._open)
            begin = end

    def merge(self, other: "AnionAnglesAccumulator") -> None:
        """Takes in independent runs of the same tetrahedra; the traces stay those of the first."""
        check_settings(other._settings(), self._settings())
        self._blocks.merge(other._blocks)
        for one, another in zip(self._filtered, other._filtered, strict=True):
            one.merge(another)
        self._rest = self._rest + other._rest + other._open
        self._counted = self._counted + other._counted

    def result(self) -> AnionAngles:
        """Raises: ValueError: no frame was seen."""
        if not self._counted:
            raise ValueError("found no frame, expected at least one; update with frames first")
        kinds = {kind.kind: self._of_kind(k, kind) for k, kind in enumerate(self.tetrahedra)}
        return AnionAngles(kinds, self.others, self.frame_time, self.cutoff, int(self._counted))

    def state(self) -> dict[str, np.ndarray]:
        arrays = {"open": self._open.copy(), "rest": self._rest.copy(), "clock": self._clock.copy(), "counted": np.array(self._counted)}
        arrays |= stored_parts(self._parts())
        arrays |= {f"last{k}": last.copy() for k, last in enumerate(self._last)}
        return arrays | self._settings()

    def load(self, state: dict[str, np.ndarray]) -> None:
        check_settings(state, self._settings())
        self._open, self._rest, self._clock, self._counted = (np.array(state[name]) for name in ("open", "rest", "clock", "counted"))
        load_parts(state, self._parts())
        self._last = [np.array(state[f"last{k}"]) for k in range(len(self.tetrahedra))]

    def _parts(self) -> dict[str, Part]:
        parts = {"blocks": self._blocks}
        every = {"filtered": self._filtered, "low_pass": self._filters, "trace": self._traces, "smooth": self._smooth}
        for name, each in every.items():
            parts |= {f"{name}{k}": part for k, part in enumerate(each)}
        return parts

    def _settings(self) -> dict[str, np.ndarray]:
        own = {
            "frame_time": np.array(self.frame_time),
            "cutoff": np.array(self.cutoff),
            "n_bins": np.array([self.n_theta, self.n_omega]),
            "omega_max": np.array(self.omega_max),
            "kinds": np.array([kind.kind for kind in self.tetrahedra]),
        }
        for k, (kind, trace) in enumerate(zip(self.tetrahedra, self._traces, strict=True)):
            own |= {f"vertices{k}": kind.vertices, f"chosen{k}": self._chosen[k], f"points{k}": np.array(trace.most)}
        return own

    def _take(self, k: int, start: int, theta: np.ndarray) -> None:
        """Frames from number `start` on, which end with the group at the latest."""
        _count(theta, self._last[k], start, self.frame_time, self.n_theta, self.n_omega, self.omega_max, self._open[k])
        first, smooth = self._filters[k].update(theta)
        for row in smooth:
            place = np.minimum((row * (self.n_theta / 180)).astype(np.int64), self.n_theta - 1)
            self._filtered[k].add(np.bincount(np.maximum(place, 0), minlength=self.n_theta).astype(float))
        self._traces[k].add(start, theta[:, self._chosen[k]])
        if len(smooth):
            self._smooth[k].add(first, smooth[:, self._chosen[k]])

    def _of_kind(self, k: int, kind: Tetrahedra) -> TetrahedronAngles:
        nt, no = self.n_theta, self.n_omega
        total = self._blocks.total[k] + self._open[k] + self._rest[k]

        def rho(sums):
            return sums[k, :nt] / max(sums[k, -8], 1) * nt / 180

        def rho_omega(sums):
            return sums[k, nt : nt + no] / max(sums[k, -4], 1) * no / (2 * self.omega_max)

        def moments(sums):
            n, first, second, third, n_omega, square = sums[k, -8:-2]
            mean = first / n
            variance = max(second / n - mean**2, 0.0)
            centred = third / n - 3 * mean * second / n + 2 * mean**3
            rms = np.sqrt(square / n_omega) if n_omega else np.nan
            return np.array([mean, np.sqrt(variance), centred / variance**1.5 if variance > 0 else 0.0, rms])

        errors = [self._error(function) for function in (rho, rho_omega, moments)]
        whole = np.zeros_like(self._open)
        whole[k] = total
        values = moments(whole)
        n_omega, square, n_steps, steps = total[-4:]
        smooth, scale = self._filtered[k], nt / 180 / (len(kind) * len(kind.corners))
        return TetrahedronAngles(
            theta=(np.arange(nt) + 0.5) * 180 / nt,
            density=rho(whole),
            error=errors[0],
            filtered=smooth.mean() * scale if smooth.n else np.full(nt, np.nan),
            filtered_error=smooth.error() * scale,
            omega=((np.arange(no) + 0.5) / no * 2 - 1) * self.omega_max,
            omega_density=rho_omega(whole) if n_omega else np.full(no, np.nan),
            omega_error=errors[1] if n_omega else np.full(no, np.nan),
            outside=float(1 - total[nt : nt + no].sum() / n_omega) if n_omega else 0.0,
            mean=estimate(values[0], errors[2][0], "°"),
            spread=estimate(values[1], errors[2][1], "°"),
            skewness=estimate(values[2], errors[2][2]),
            omega_rms=estimate(values[3], errors[2][3], "°/fs"),
            resolved=float((square / n_omega) * self.frame_time**2 / (steps / n_steps)) if n_omega and steps > 0 else np.nan,
            ideal=kind.ideal,
            n_tetrahedra=len(kind),
            n_all=kind.n_all,
            n_angles=len(kind.corners),
            times=self._traces[k].samples * self.frame_time,
            trace=self._traces[k].values.copy(),
            filtered_times=self._filters[k].frames(self._smooth[k].samples) * self.frame_time,
            filtered_trace=self._smooth[k].values.copy(),
        )

    def _error(self, function) -> np.ndarray:
        if self._blocks.n:
            return jackknife(self._blocks, function)[1]
        return np.full(function(np.ones_like(self._open)).shape, np.nan)


def _widest(angles: np.ndarray, traces: int) -> np.ndarray:
    """Places of the largest angle of each of the first few tetrahedra; whose, does not depend on the order of the ligands."""
    n = min(traces, len(angles))
    return np.arange(n) * angles.shape[1] + angles[:n].argmax(1)


@njit(cache=True, nogil=True)
def _count(theta, last, start, frame_time, n_theta, n_omega, omega_max, sums):
    """Adds histograms of θ and ω and the moments to sums, frame by frame; `last` holds the two frames before, and is moved on."""
    end = n_theta + n_omega
    for t in range(len(theta)):
        for i in range(theta.shape[1]):
            angle = theta[t, i]
            sums[min(int(angle * n_theta / 180), n_theta - 1)] += 1
            sums[end] += 1
            sums[end + 1] += angle
            sums[end + 2] += angle * angle
            sums[end + 3] += angle * angle * angle
            if start + t > 0:
                sums[end + 6] += 1
                sums[end + 7] += (angle - last[1, i]) ** 2
            if start + t > 1:
                omega = (angle - last[0, i]) / (2 * frame_time)
                place = np.floor((omega / omega_max + 1) * n_omega / 2)
                if 0 <= place < n_omega:
                    sums[n_theta + int(place)] += 1
                sums[end + 4] += 1
                sums[end + 5] += omega * omega
            last[0, i], last[1, i] = last[1, i], angle
