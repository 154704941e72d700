"""How polyatomic anions turn: where they point, how often they reorient and how long they remember, after papers/002."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from mlff.analysis.accumulator import Part, check_settings, load_parts, stored_parts
from mlff.analysis.anions.anion_bodies import Bodies, bodies_of
from mlff.analysis.anions.body_rotation import quaternions, turned_by
from mlff.analysis.anions.direction_angles import angles_to_axes, axes_of, count_directions
from mlff.analysis.anions.orientation_correlation import OrientationCorrelation, lags, rotational_diffusivity
from mlff.analysis.anions.reorientation import Reorientations, frequency
from mlff.analysis.estimate import Estimate
from mlff.analysis.statistics.blocks import Blocks
from mlff.analysis.statistics.bounded_trace import BoundedTrace
from mlff.analysis.statistics.even_steps import count_steps
from mlff.analysis.system import NotApplicable, System
from mlff.geometry.superposition import centred
from mlff.trajectory import Frames
from mlff.units import K_B, PS

GROUP = 64  # frames whose sums go together into the blocks of the errors
N_COSINE, N_AZIMUTH = 36, 72  # cells of the sphere


@dataclass(frozen=True)
class Directions:
    """Of the bonds, or of the axes, of one kind of anion. Errors: one standard deviation; NaN where nothing tells them.

    angle: (n_bins,), middle of the bins, °. density, error: P of the angle to a, b and c, (3, n_bins), 1/°; ∝ sin where all directions
        are alike.
    free_energy, free_energy_error: −kT ln P, (3, n_bins), eV, from the lowest of each axis; NaN where the angle was never seen, None
        without a temperature. Directions that are all alike have −kT ln sin in it, which no force makes; the map has not.
    sphere: (N_COSINE, N_AZIMUTH), cosine of the angle to c and azimuth from a, −180° to 180°: how often the direction lies in each cell
        of equal area, over the mean of all, 1 where all are alike. free_energy_map: −kT ln of it, from its lowest, eV; None likewise.
    times: (n_lags,), fs. c1, c2, c1_error, c2_error: ⟨cos⟩ and ⟨(3 cos² − 1)/2⟩ of the angle turned in that time, (n_lags,).
    diffusivity: D_r, 1/ps, from C1 = A e^(−2 D_r t) and from C2 = A e^(−6 D_r t). They agree where turns are many and small; jumps by large
        angles make the second smaller, down to a third.
    """

    angle: np.ndarray
    density: np.ndarray
    error: np.ndarray
    free_energy: np.ndarray | None
    free_energy_error: np.ndarray | None
    sphere: np.ndarray
    free_energy_map: np.ndarray | None
    times: np.ndarray
    c1: np.ndarray
    c1_error: np.ndarray
    c2: np.ndarray
    c2_error: np.ndarray
    diffusivity: tuple[Estimate, Estimate]


@dataclass(frozen=True)
class Turns:
    """Of one kind of anion.

    n_anions, duration: how many, and for how long each was seen, fs. events: (n_anions,), turns of each. frequency: per anion, 1/ps.
    times: (n_points,), fs. to_axes: (n_points, n_traces, 3), °, angle of one direction of some anions to a, b and c. turned: (n_points,
        n_traces), °, of the whole anion from where it was in the first frame of the system.
    """

    n_anions: int
    duration: float
    events: np.ndarray
    frequency: Estimate
    times: np.ndarray
    to_axes: np.ndarray
    turned: np.ndarray


@dataclass(frozen=True)
class Orientation:
    """turns: by kind of anion. directions: by kind and what points, "PS4 bonds", "P2S6 axis".

    least: °, of a turn. settle: fs, that it lasts at least. temperature: K, or None. n_frames: seen, n_counted of them in the densities.
    """

    turns: dict[str, Turns]
    directions: dict[str, Directions]
    least: float
    settle: float
    temperature: float | None
    n_frames: int
    n_counted: int


class OrientationAccumulator:
    """Bonds from a centre to its ligands (and, of anions with an axis, from one of its ends to the other) as directions; the whole anion
    by the mass-weighted superposition on its shape in the first frame, for turns.

    Ligands keep their names: a turn of PS4 by 120° about one bond counts as a reorientation, although the anion looks as before. An axis
    counts to both sides, because nothing tells its ends apart. What a reorientation is, `Reorientations` says; papers/002 counts angle
    fluctuations greater than 70°. Axes a, b, c are those of the cell of each frame.

    Args:
        bodies: anions by kind. masses: (n_atoms,). positions, cell: of the first frame.
        frame_time: fs. width: of the bins of angles, °. least: °, of a turn. settle: ps, that it lasts.
        stride: one of so many frames counts in the densities; turns and correlations take all. temperature: K, or None.
        traces: anions of each kind that are shown in time, the first ones. points: kept of each.
    """

    reads = "frames"

    def __init__(
        self,
        bodies: list[Bodies],
        masses: np.ndarray,
        positions: np.ndarray,
        cell: np.ndarray,
        frame_time: float,
        width: float = 3.0,
        least: float = 70.0,
        settle: float = 0.1,
        stride: int = 1,
        temperature: float | None = None,
        traces: int = 3,
        points: int = 2000,
    ):
        if not (0 < width <= 90 and settle >= 0 and stride >= 1 and traces >= 0 and points >= 2):
            raise ValueError(
                f"found width {width}, settle {settle}, stride {stride}, traces {traces}, points {points}; expected 0 < width ≤ 90 in °, "
                "settle ≥ 0 in ps, stride ≥ 1, traces ≥ 0 and points ≥ 2"
            )
        self.bodies, self.frame_time, self.stride, self.temperature = bodies, float(frame_time), int(stride), temperature
        self.least, self.settle, self.n_angle = float(least), max(1, round(settle * PS / frame_time)), max(1, round(180 / width))
        self.masses = [masses[each.atoms].astype(float) for each in bodies]
        first = [each.place(positions[None], cell[None]) for each in bodies]
        self.reference = [centred(placed[0], mass) for placed, mass in zip(first, self.masses, strict=True)]
        self._pointing = [(k, pairs) for k, each in enumerate(bodies) for pairs in _directions(each)]
        self.names = [f"{bodies[k].kind} {'axis' if _is_axis(bodies[k], pairs) else 'bonds'}" for k, pairs in self._pointing]
        self._headless = [_is_axis(bodies[k], pairs) for k, pairs in self._pointing]
        self._shown = [self._to_show(k, first[k], cell, traces) for k in range(len(bodies))]
        self._traces = [BoundedTrace(4 * len(rows), points) for rows, _ in self._shown]
        self._turns = [Reorientations(len(each), least, self.settle) for each in bodies]
        self._correlations = [OrientationCorrelation(len(pairs), pairs.shape[1]) for _, pairs in self._pointing]
        self._counts = [Blocks((3 * self.n_angle + N_COSINE * N_AZIMUTH,)) for _ in self._pointing]
        self._event_blocks, self._open = [Blocks((1,)) for _ in bodies], np.zeros(len(bodies), np.int64)
        self._clock = np.zeros(3, np.int64)  # frames seen, step of the last, steps between frames
        self._merged = np.zeros(2, np.int64)  # frames, and steps from frame to frame, of merged runs
        self._merged_events = [np.zeros(len(each), np.int64) for each in bodies]

    @classmethod
    def of(
        cls,
        system: System,
        width: float = 3.0,
        least: float = 70.0,
        settle: float = 0.1,
        frames: int = 20000,
        traces: int = 3,
        points: int = 2000,
    ) -> Self:
        """Of all anions. Raises: NotApplicable: there are none."""
        if not system.anions:
            raise NotApplicable(
                f"found no polyatomic anions among {', '.join(sorted(set(system.symbols)))}, expected bonded ones such as PS4; "
                "leave out orientation"
            )
        bodies = bodies_of(system.anions, system.numbers)
        stride = system.stride(frames)
        first = (system.masses, system.positions, system.cell, system.frame_time)
        return cls(bodies, *first, width, least, settle, stride, system.temperature, traces, points)

    def update(self, frames: Frames) -> None:
        """Raises: ValueError: frames not evenly spaced, a cell without volume, or a position that is not finite."""
        begin, seen = 0, int(self._clock[0])
        count_steps(self._clock, frames.steps, "frames")
        while begin < len(frames):
            end = min(len(frames), begin + GROUP - (seen + begin) % GROUP)
            self._take(seen + begin, frames.positions[begin:end], frames.cells[begin:end])
            if (seen + end) % GROUP == 0:
                for correlation in self._correlations:
                    correlation.close_group()
                for k, blocks in enumerate(self._event_blocks):
                    blocks.add(self._open[k : k + 1].astype(float))
                self._open[:] = 0
            begin = end

    def merge(self, other: "OrientationAccumulator") -> None:
        """Takes in independent runs of the same anions; the traces stay those of the first."""
        check_settings(other._settings(), self._settings())
        for name in ("_correlations", "_counts", "_event_blocks"):
            for one, another in zip(getattr(self, name), getattr(other, name), strict=True):
                one.merge(another)
        for k, turns in enumerate(other._turns):
            self._merged_events[k] = self._merged_events[k] + turns.events + other._merged_events[k]
        self._merged = self._merged + other._merged + [other._clock[0], max(other._clock[0] - 1, 0)]

    def result(self) -> Orientation:
        """Raises: ValueError: no frame was seen."""
        n_frames = int(self._clock[0] + self._merged[0])
        if not n_frames:
            raise ValueError("found no frame, expected at least one; update with frames first")
        turns = {each.kind: self._turns_of(k, each) for k, each in enumerate(self.bodies)}
        directions = {name: self._directions_of(k) for k, name in enumerate(self.names)}
        settle, counted = self.settle * self.frame_time, int(self._counts[0].n)
        return Orientation(turns, directions, self.least, settle, self.temperature, n_frames, counted)

    def state(self) -> dict[str, np.ndarray]:
        arrays = {"clock": self._clock.copy(), "open": self._open.copy(), "merged": self._merged.copy()}
        arrays |= {f"merged_events{k}": events.copy() for k, events in enumerate(self._merged_events)}
        arrays |= stored_parts(self._parts())
        return arrays | self._settings()

    def load(self, state: dict[str, np.ndarray]) -> None:
        check_settings(state, self._settings())
        self._clock, self._open, self._merged = (np.array(state[name]) for name in ("clock", "open", "merged"))
        self._merged_events = [np.array(state[f"merged_events{k}"]) for k in range(len(self.bodies))]
        load_parts(state, self._parts())

    def _parts(self) -> dict[str, Part]:
        every = {"trace": self._traces, "turns": self._turns, "events": self._event_blocks}
        every |= {"correlation": self._correlations, "counts": self._counts}
        return {f"{name}{k}": part for name, each in every.items() for k, part in enumerate(each)}

    def _settings(self) -> dict[str, np.ndarray]:
        own = {
            "frame_time": np.array(self.frame_time),
            "n_angle": np.array(self.n_angle),
            "least": np.array(self.least),
            "settle": np.array(self.settle),
            "stride": np.array(self.stride),
            "temperature": np.array(0.0 if self.temperature is None else self.temperature),
            "kinds": np.array([each.kind for each in self.bodies]),
        }
        for k, each in enumerate(self.bodies):
            shown = np.array([len(self._shown[k][0]), self._traces[k].most])
            own |= {f"atoms{k}": each.atoms, f"reference{k}": self.reference[k], f"shown{k}": shown}
        return own

    def _to_show(self, k: int, placed: np.ndarray, cell: np.ndarray, traces: int) -> tuple[np.ndarray, np.ndarray]:
        """The first few anions, and of each the pair of places whose direction is nearest to c, whatever the order of the ligands."""
        pairs = [pairs for body, pairs in self._pointing if body == k][-1][:traces]  # the axis where there is one
        u = _unit(placed[:, : len(pairs)], pairs)[0]
        to_c = angles_to_axes(u.reshape(1, -1, 3), axes_of(cell[None]))[0, :, 2].reshape(u.shape[:2])
        if _is_axis(self.bodies[k], pairs):  # the head that points along c
            flipped = to_c[:, 0] > 90
            pairs = np.where(flipped[:, None, None], pairs[:, :, ::-1], pairs)
        nearest = to_c.argmin(1)
        return np.arange(len(pairs)), pairs[np.arange(len(pairs)), nearest]

    def _take(self, start: int, positions: np.ndarray, cells: np.ndarray) -> None:
        axes = axes_of(np.asarray(cells, float))
        placed = [each.place(positions, cells) for each in self.bodies]
        for k in range(len(self.bodies)):
            q = np.empty((*placed[k].shape[:2], 4))
            quaternions(placed[k], self.reference[k], self.masses[k], q)
            self._open[k] += self._turns[k].update(q)
            rows, pairs = self._shown[k]
            to_axes = angles_to_axes(_unit(placed[k][:, rows], pairs[:, None])[:, :, 0], axes)
            turned = turned_by(q[:, rows], np.array([1.0, 0, 0, 0]))
            self._traces[k].add(start, np.concatenate([to_axes, turned[:, :, None]], axis=2).reshape(len(q), -1))
        for k, (body, pairs) in enumerate(self._pointing):
            u = _unit(placed[body], pairs)
            self._correlations[k].update(u, start)
            for t in range(int(-start % self.stride), len(u), self.stride):
                counts = np.zeros(3 * self.n_angle + N_COSINE * N_AZIMUTH)
                count_directions(u[t].reshape(-1, 3), axes[t], self._headless[k], self.n_angle, N_COSINE, N_AZIMUTH, counts)
                self._counts[k].add(counts)

    def _turns_of(self, k: int, bodies: Bodies) -> Turns:
        events = self._turns[k].events + self._merged_events[k]
        duration = float(max(self._clock[0] - 1, 0) + self._merged[1]) * self.frame_time
        trace, n = self._traces[k], len(self._shown[k][0])
        values = trace.values.reshape(-1, n, 4)
        return Turns(
            n_anions=len(bodies),
            duration=duration,
            events=events,
            frequency=frequency(events, duration, self._event_blocks[k], GROUP * self.frame_time),
            times=trace.samples * self.frame_time,
            to_axes=values[:, :, :3].copy(),
            turned=values[:, :, 3].copy(),
        )

    def _directions_of(self, k: int) -> Directions:
        counts, correlation = self._counts[k], self._correlations[k]
        n = 3 * self.n_angle
        mean, error = counts.mean(), counts.error()
        scale = self.n_angle / 180 / mean[: self.n_angle].sum()
        density, density_error = (x[:n].reshape(3, -1) * scale for x in (mean, error))
        sphere = mean[n:].reshape(N_COSINE, N_AZIMUTH) * N_COSINE * N_AZIMUTH / mean[n:].sum()
        times = lags()[correlation.counts > 0] * self.frame_time
        (c1, c1_error), (c2, c2_error) = (correlation.measured(order) for order in (1, 2))
        free, free_error = _free_energy(density, density_error, self.temperature)
        of_sphere, _ = _free_energy(sphere.reshape(1, -1), 0 * sphere.reshape(1, -1), self.temperature)
        return Directions(
            angle=(np.arange(self.n_angle) + 0.5) * 180 / self.n_angle,
            density=density,
            error=density_error,
            free_energy=free,
            free_energy_error=free_error,
            sphere=sphere,
            free_energy_map=None if of_sphere is None else of_sphere.reshape(sphere.shape),
            times=times,
            c1=c1,
            c1_error=c1_error,
            c2=c2,
            c2_error=c2_error,
            diffusivity=(
                rotational_diffusivity(times, c1, c1_error, 1, correlation),
                rotational_diffusivity(times, c2, c2_error, 2, correlation),
            ),
        )


def _directions(bodies: Bodies) -> list[np.ndarray]:
    """Pairs of places (n_bodies, n_directions, 2), from and to: the bonds, and the axis where there is one."""
    return [bodies.bonds] + ([] if bodies.axis is None else [bodies.axis[:, None]])


def _is_axis(bodies: Bodies, pairs: np.ndarray) -> bool:
    return bodies.axis is not None and pairs.shape[1] == 1


def _unit(placed: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """(n_frames, n_bodies, n_directions, 3) of pairs (n_bodies, n_directions, 2)."""
    rows = np.arange(len(pairs))[:, None]
    d = placed[:, rows, pairs[:, :, 1]] - placed[:, rows, pairs[:, :, 0]]
    return d / np.linalg.norm(d, axis=-1, keepdims=True)


def _free_energy(density: np.ndarray, error: np.ndarray, temperature: float | None) -> tuple[np.ndarray | None, np.ndarray | None]:
    """−kT ln P of each row from its lowest, eV, and its error kT σ_P / P."""
    if temperature is None:
        return None, None
    seen = density > 0
    safe = np.where(seen, density, 1.0)
    energy = np.where(seen, -K_B * temperature * np.log(safe / density.max(axis=-1, keepdims=True)), np.nan)
    return energy, np.where(seen, K_B * temperature * error / safe, np.nan)
