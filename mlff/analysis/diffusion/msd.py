"""Mean squared displacement of one species, ion by ion, in the lattice frame: all time origins, the first alone, and collectively."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from mlff.analysis.accumulator import Part, check_settings, load_parts, stored_parts
from mlff.analysis.diffusion.displacement_blocks import DisplacementBlocks
from mlff.analysis.statistics.even_steps import count_steps
from mlff.analysis.statistics.merged_runs import loaded_runs, stored_runs
from mlff.analysis.statistics.multi_tau import PAIRS, MultiTau, block_length, lags
from mlff.analysis.system import System
from mlff.trajectory import Frames

OWN = ("pending", "start", "cell", "cell_sum", "single", "last", "clock")  # arrays of the accumulator that are stored as they are


@dataclass(frozen=True)
class RunDisplacements:
    """What one run of n ions shows. Tensors are given by their components xx yy zz xy yz xz.

    times: (n_lags,), fs. origins: (n_lags,), how many each lag has.
    all_origins: (n_lags, 6, n_ions), mean of Δr_a Δr_b over the origins, Å².
    first_origin: (n_lags, 6, n_ions), Δr_a Δr_b from the first frame, Å².
    collective: (n_lags, 6), mean of (Σ Δr_a)(Σ Δr_b) / n over the origins, Å²: for independent ions as large as the mean of all_origins.
    blocks: (n_blocks, 3, n_ions), displacement over each of equal stretches of block_time, Å.
    block_time, duration: fs.
    total: (3, n_ions), displacement over the whole run, Å.
    cell: (3, 3), the mean over the frames, Å.
    """

    times: np.ndarray
    origins: np.ndarray
    all_origins: np.ndarray
    first_origin: np.ndarray
    collective: np.ndarray
    blocks: np.ndarray
    block_time: float
    duration: float
    total: np.ndarray
    cell: np.ndarray

    @property
    def volume(self) -> float:
        """Of the mean cell, Å³."""
        return float(abs(np.linalg.det(self.cell)))


@dataclass(frozen=True)
class Displacements:
    """Independent runs of the same material at the same condition."""

    runs: tuple[RunDisplacements, ...]

    def __post_init__(self):
        spacings = sorted({float(run.times[0]) for run in self.runs})
        if len(spacings) > 1 and spacings[-1] - spacings[0] > 1e-9 * spacings[0]:
            raise ValueError(f"found runs with frames {spacings} fs apart, expected one spacing; read them with strides that agree")

    @property
    def n_ions(self) -> int:
        """Of all runs together."""
        return sum(run.total.shape[1] for run in self.runs)

    @property
    def volume(self) -> float:
        """The mean of the runs', Å³."""
        return float(np.mean([run.volume for run in self.runs]))

    @property
    def times(self) -> np.ndarray:
        """The lags that all runs have, (n_lags,), fs."""
        return min((run.times for run in self.runs), key=len)

    @property
    def duration(self) -> float:
        """Of the shortest run, fs."""
        return min(run.duration for run in self.runs)

    def per_ion(self, kind: str = "all_origins") -> np.ndarray:
        """|Δr|² of each ion, (n_lags, n_ions), Å²; kind: all_origins or first_origin."""
        return np.concatenate([getattr(run, kind)[: len(self.times), :3].sum(1) for run in self.runs], axis=1)

    def msd(self, kind: str = "all_origins") -> np.ndarray:
        """⟨|Δr|²⟩ over the ions, (n_lags,), Å²."""
        return self.per_ion(kind).mean(1)

    def tensor(self, kind: str = "all_origins") -> np.ndarray:
        """⟨Δr_a Δr_b⟩ over the ions, (n_lags, 3, 3), Å²."""
        return full_tensor(np.concatenate([getattr(run, kind)[: len(self.times)] for run in self.runs], axis=2).mean(2))

    def collective(self) -> np.ndarray:
        """⟨|Σ Δr|²⟩ / n_ions, (n_lags,), Å², the mean of the runs."""
        return np.mean([run.collective[: len(self.times), :3].sum(1) for run in self.runs], axis=0)


class MeanSquareDisplacement:
    """Accumulates the displacements of some ions.

    The lattice frame: a displacement is the change of the fractional coordinates times one cell, the mean cell of the run. Where the
    cell fluctuates, r(t) − r(0) would grow with an ion's distance from the corner of the cell, and the change times the current cell
    would depend on the moment at which it is looked at, so that displacements would not add up. The mean cell is known only at the
    end: products are summed with the first cell, and what is linear in them is turned to the mean one in the result.

    Args:
        ions: (n,) indices of the atoms to follow, or (n_atoms,) bool.
        timestep: fs, of one step in `Frames.steps`.
        drift: (n_atoms,) weights, whose weighted mean displacement is taken from that of every ion: masses for the centre of mass of
            all, masses of the framework and 0 for the mobile ions for that of the framework. None where the total momentum is not
            conserved, as with anions held in place or plain Langevin friction.
    """

    reads = "frames"

    def __init__(self, ions: np.ndarray, timestep: float, drift: np.ndarray | None = None):
        ions = np.asarray(ions)
        self.ions = np.flatnonzero(ions) if ions.dtype == bool else ions.astype(np.int64)
        if not len(self.ions):
            raise ValueError("found no ions to follow, expected at least one; choose a species that the structure has")
        if not timestep > 0:
            raise ValueError(f"the timestep is {timestep} fs, expected a positive one; give the time of one step")
        self.timestep = float(timestep)
        weights = np.zeros(0) if drift is None else np.asarray(drift, float)
        if drift is not None and not weights.sum() > 0:
            raise ValueError("the weights of the drift sum to nothing, expected masses; give drift=None to remove none")
        self.drift = weights / weights.sum() if len(weights) else weights
        n = len(self.ions) + 1  # the last is no ion but the sum of all, over √n: its MSD is the collective one
        self._block = block_length(n)
        self._runs: tuple[RunDisplacements, ...] = ()
        self._pending = np.zeros((self._block, 3, n))
        self._multi_tau, self._blocks = MultiTau(n), DisplacementBlocks(n)
        self._start = np.zeros((0, 3))  # positions of all atoms in the first frame
        self._cell = np.zeros((3, 3))  # the first frame's
        self._cell_sum = np.zeros((3, 3))
        self._single = np.zeros((0, 3, n))
        self._last = np.zeros((3, n))
        self._clock = np.zeros(3, np.int64)  # frames seen, step of the last, steps between frames

    @classmethod
    def of(cls, system: System) -> Self:
        """Of the mobile ions, without the framework's drift where the system rests."""
        return cls(system.ions, system.timestep, system.drift)

    def update(self, frames: Frames) -> None:
        """Raises: ValueError: frames not evenly spaced, a cell without volume, or another number of atoms."""
        if not len(frames):
            return
        begin, seen = 0, int(self._clock[0])
        self._check(frames)
        while begin < len(frames):  # whole blocks alone go through the cascade, so that chunks do not matter
            held = seen + begin - int(self._multi_tau.seen)
            part = slice(begin, begin + self._block - held)
            new = frames.positions[part]
            self._lattice(new, frames.cells[part], self._pending[held : held + len(new)])
            begin += len(new)
            if held + len(new) == self._block:
                self._pass_on(self._pending)
        cells = np.asarray(frames.cells, float)
        for cell in cells if (cells != self._cell).any() else ():  # one by one, so that chunks do not matter
            self._cell_sum += cell - self._cell

    def merge(self, other: "MeanSquareDisplacement") -> None:
        """Takes in independent runs of the same ions. Later parts of one run are not for it: the pairs of frames across the joint would
        be missing, and an ion would count as two; pass those to `update` in order.

        Raises:
            ValueError: the other follows other ions, or counts time otherwise.
        """
        check_settings(other._settings(), self._settings())
        self._runs = (*self._runs, *(other.result().runs if other._clock[0] > 1 else other._runs))

    def result(self) -> Displacements:
        """Raises: ValueError: fewer than two frames."""
        own = (self._run(),) if self._clock[0] > 1 else ()
        if not own + self._runs:
            raise ValueError(f"found {self._clock[0]} frames, expected at least 2; a displacement needs a second frame")
        return Displacements(own + self._runs)

    def state(self) -> dict[str, np.ndarray]:
        own = {name: np.array(getattr(self, f"_{name}")) for name in OWN}
        return own | stored_parts(self._parts()) | stored_runs(self._runs) | self._settings()

    def load(self, state: dict[str, np.ndarray]) -> None:
        check_settings(state, self._settings())
        for name in OWN:
            setattr(self, f"_{name}", np.array(state[name]))
        load_parts(state, self._parts())
        self._runs = loaded_runs(state, RunDisplacements)

    def _settings(self) -> dict[str, np.ndarray]:
        return {"ions": self.ions, "timestep": np.array(self.timestep), "drift": self.drift}

    def _parts(self) -> dict[str, Part]:
        return {"multi_tau": self._multi_tau, "blocks": self._blocks}

    def _check(self, frames: Frames) -> None:
        positions, cells = frames.positions, frames.cells
        if not self._clock[0]:
            if not abs(np.linalg.det(cells[0])) > 0:
                raise ValueError("the first frame's cell has no volume, expected three cell vectors; give the cell of the simulation")
            self._start, self._cell = np.array(positions[0], float), np.array(cells[0], float)
        if positions.shape[1:] != self._start.shape:
            raise ValueError(f"found frames of {positions.shape[1]} atoms after frames of {len(self._start)}; give frames of one run")
        if len(self.drift) not in (0, len(self._start)):
            raise ValueError(f"drift has {len(self.drift)} weights for {len(self._start)} atoms; give one weight per atom")
        count_steps(self._clock, frames.steps, "frames")

    def _lattice(self, positions: np.ndarray, cells: np.ndarray, u: np.ndarray) -> None:
        """Writes displacements from the first frame in terms of the first cell, without drift, into u, (n_frames, 3, n_ions + 1)."""
        n = len(self.ions)
        same = (cells == self._cell).all(axis=(1, 2))
        still = bool(same.all())
        if not still:  # r → fractional → the first cell; exactly nothing where it is the first cell
            turn = np.linalg.solve(cells, np.broadcast_to(self._cell, cells.shape))
            turn[same] = np.eye(3)
        near = self.ions[-1] - self.ions[0] + 1 == n  # neighbours in the list are looked at, not copied
        chosen = positions[:, self.ions[0] : self.ions[0] + n] if near else np.take(positions, self.ions, axis=1)
        for c in range(3):  # element by element, frame by frame: products of matrices round by how many frames there are
            moved = chosen[:, :, c] if still else sum(chosen[:, :, a] * turn[:, a, c, None] for a in range(3))
            np.subtract(moved, self._start[self.ions, c], out=u[:, c, :n])
        if len(self.drift):
            mean = np.array([self.drift @ frame for frame in positions])
            mean = mean if still else sum(mean[:, a, None] * turn[:, a] for a in range(3))
            u[:, :, :n] -= (mean - self.drift @ self._start)[:, :, None]
        u[:, :, n] = u[:, :, :n].sum(2) / np.sqrt(n)

    def _pass_on(self, u: np.ndarray) -> None:
        start = int(self._multi_tau.seen)
        self._multi_tau.update(u)
        self._blocks.update(start, u)
        wanted = lags(64)  # more than a run can have
        found = wanted[(wanted >= start) & (wanted < start + len(u))]
        self._single = np.concatenate([self._single, u[found - start]])
        self._last = u[-1].copy()

    def _run(self) -> RunDisplacements:
        """With the frames that wait for their block, on a copy."""
        whole = MeanSquareDisplacement(self.ions, self.timestep)
        whole.drift = self.drift
        whole.load(self.state())
        if waiting := int(self._clock[0] - self._multi_tau.seen):
            whole._pass_on(whole._pending[:waiting])
        n, mean_cell = len(self.ions), self._cell + self._cell_sum / self._clock[0]
        turn = np.linalg.solve(self._cell, mean_cell)
        tau, dt = whole._multi_tau, self.timestep * float(self._clock[2])
        mean = _turned(tau.sums / tau.counts[:, None, None], turn)
        single = np.stack([whole._single[:, a] * whole._single[:, b] for a, b in PAIRS], axis=1)
        return RunDisplacements(
            times=tau.lags * dt,
            origins=tau.counts.copy(),
            all_origins=mean[:, :, :n],
            first_origin=_turned(single, turn)[:, :, :n],
            collective=mean[:, :, n],
            blocks=np.einsum("tcn,cd->tdn", whole._blocks.displacements[:, :, :n], turn),
            block_time=float(whole._blocks.step) * dt,
            duration=float(self._clock[0] - 1) * dt,
            total=np.einsum("cn,cd->dn", whole._last[:, :n], turn),
            cell=mean_cell,
        )


def full_tensor(components: np.ndarray) -> np.ndarray:
    """(…, 6) in the order xx yy zz xy yz xz → (…, 3, 3)."""
    full = np.empty((*components.shape[:-1], 3, 3))
    for k, (a, b) in enumerate(PAIRS):
        full[..., a, b] = full[..., b, a] = components[..., k]
    return full


def _turned(components: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Second-rank tensors (n_lags, 6, n) of u as those of u @ turn."""
    if np.array_equal(turn, np.eye(3)):
        return components
    tensors = np.einsum("lnab,ac,bd->lncd", full_tensor(components.transpose(0, 2, 1)), turn, turn, optimize=True)
    return np.stack([tensors[..., a, b] for a, b in PAIRS], axis=1)
