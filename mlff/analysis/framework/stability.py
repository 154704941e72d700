"""Whether the framework holds: Lindemann index of each of its species, and anions whose bonds are all intact."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from mlff.analysis.accumulator import check_settings, load_parts, stored_parts
from mlff.analysis.estimate import Estimate
from mlff.analysis.framework.anion_integrity import WatchedBonds, intact_share
from mlff.analysis.framework.lattice_frame import LatticeFrame
from mlff.analysis.framework.lindemann import add_moments, lindemann_index, nearest_distance, square_about
from mlff.analysis.statistics.blocks import Blocks
from mlff.analysis.statistics.event_rate import event_rate
from mlff.analysis.statistics.merged_runs import loaded_runs, stored_runs
from mlff.analysis.system import NotApplicable, System
from mlff.trajectory import Frames
from mlff.units import PS

TOGETHER = 64  # frames that are one sample of the errors


@dataclass(frozen=True)
class RunStability:
    """What one run shows. Species, and kinds of anions, are in the order of the alphabet; blocks are equal stretches of time.

    square: (n_framework,), mean square displacement of each atom about its mean place, Å².
    square_blocks: (n_blocks, n_species), the same of each stretch, about the mean places of the whole run, Å².
    nearest: (n_species,), mean distance to the nearest atom of the framework, Å.
    broken: (n_anions,), share of the frames in which each has a bond that is too long.
    first_broken: (n_anions,), step of the first such frame; −1 where there is none. whole: (n_anions,), frames until then.
    intact_blocks: (n_blocks, n_kinds), share of intact anions.
    block_time, interval: (), fs, of a stretch, and from frame to frame.
    """

    square: np.ndarray
    square_blocks: np.ndarray
    nearest: np.ndarray
    broken: np.ndarray
    first_broken: np.ndarray
    whole: np.ndarray
    intact_blocks: np.ndarray
    block_time: np.ndarray
    interval: np.ndarray


@dataclass(frozen=True)
class Stability:
    """runs: independent runs of the same atoms.

    lindemann: by species of the framework, rms displacement about the mean place over the nearest-neighbour distance. Crystals melt near
        0.1 to 0.15 of it, but an anion that turns raises that of its ligands without melting.
    nearest: by species, Å, to any atom of the framework.
    intact: by kind of anion, share of them with all bonds intact, the mean over time; a bound where none ever broke.
    breaking: by kind, first breaks per anion that was whole until then, and ps.
    """

    runs: tuple[RunStability, ...]
    lindemann: dict[str, Estimate]
    nearest: dict[str, float]
    intact: dict[str, Estimate]
    breaking: dict[str, Estimate]


class StabilityAccumulator:
    """Sums of the framework's displacements, and a look at the bonds of its anions, at every frame.

    Displacements are those of the lattice frame, less the framework's own drift, whatever moved it.

    Args:
        system: whose framework, and whose anions in the first frame. stride: at every so many frames nearest distances are measured.
    """

    reads = "frames"

    def __init__(self, system: System, stride: int = 1):
        framework = system.framework
        if not len(framework):
            raise NotApplicable(f"the structure holds {system.mobile} alone, expected a framework of other atoms; ask for no stability")
        weights = np.zeros(len(system.symbols))
        weights[framework] = system.masses[framework]
        self.stride, self.timestep, self.pbc = int(stride), float(system.timestep), np.array(system.pbc, bool)
        self.symbols = np.array(system.symbols)[framework]
        self.species = sorted(set(self.symbols.tolist()))
        self._frame = LatticeFrame(framework, weights)
        self._bonds = WatchedBonds(system.anions, system.numbers)
        n, n_anions = len(framework), len(self._bonds.kind_of)
        self._blocks = Blocks((4 * n + len(self._bonds.kinds),))  # Σ u, Σ |u|², whole anions of each kind
        self._open = np.zeros(self._blocks.total.shape)
        self._nearest = np.zeros(len(self.species) + 1)  # sums, and frames
        self._broken, self._first = np.zeros(n_anions, np.int64), np.full(n_anions, -1)  # frames; number of the first
        self._runs: tuple[RunStability, ...] = ()

    @classmethod
    def of(cls, system: System, frames: int = 100) -> Self:
        """frames: in about how many the nearest-neighbour distances are measured."""
        return cls(system, system.stride(frames))

    def update(self, frames: Frames) -> None:
        """Raises: ValueError: frames not evenly spaced, a cell without volume, or another number of atoms."""
        seen, begin = self._frame.seen, 0
        u = self._frame.displacements(frames)
        for k in range(int(-seen % self.stride), len(frames), self.stride):
            positions = np.asarray(frames.positions[k], float)[self._frame.atoms]
            distance = nearest_distance(positions, frames.cells[k], self.pbc)
            self._nearest += [*(distance[self.symbols == s].mean() for s in self.species), 1.0]
        while begin < len(u):  # up to where a sample of the errors ends
            part = slice(begin, min(begin + TOGETHER - (seen + begin) % TOGETHER, len(u)))
            broken = self._bonds.broken(frames.positions[part], frames.cells[part])
            self._look(broken, seen + begin)
            add_moments(u[part], *self._moments(self._open))
            whole = (~broken).sum(0)
            self._open[4 * len(self._frame.atoms) :] += np.bincount(self._bonds.kind_of, whole, len(self._bonds.kinds))
            begin = part.stop
            if (seen + begin) % TOGETHER == 0:
                self._blocks.add(self._open)
                self._open = np.zeros_like(self._open)

    def merge(self, other: "StabilityAccumulator") -> None:
        """Takes in independent runs of the same atoms; a later part of one run goes to `update`, in order."""
        check_settings(other._settings() | {"stride": np.array(self.stride)}, self._settings())  # longer runs are looked at more rarely
        self._runs = (*self._runs, *other._finished())

    def result(self) -> Stability:
        """Raises: ValueError: fewer than two frames."""
        runs = self._finished()
        if not runs:
            raise ValueError(f"found {self._frame.seen} frames, expected at least 2; a mean place needs a second frame")
        lindemann, nearest = {}, {}
        for k, name in enumerate(self.species):
            own = [run.square[self.symbols == name] for run in runs]
            nearest[name] = float(np.mean([run.nearest[k] for run in runs]))
            stretches = np.concatenate([run.square_blocks[:, k] for run in runs])
            lindemann[name] = lindemann_index(nearest[name], [np.concatenate(own), stretches, np.array([x.mean() for x in own])])
        intact, breaking = {}, {}
        for k, kind in enumerate(self._bonds.kinds):
            of_kind = self._bonds.kind_of == k
            broken = np.concatenate([run.broken[of_kind] for run in runs])
            intact[kind] = intact_share(broken, np.concatenate([run.intact_blocks[:, k] for run in runs]))
            exposure = sum(float(run.whole[of_kind].sum() * run.interval) for run in runs) / PS
            gone = sum(int((run.first_broken[of_kind] >= 0).sum()) for run in runs)
            breaking[kind] = event_rate(gone, exposure, "no anion broke")
        return Stability(runs, lindemann, nearest, intact, breaking)

    def state(self) -> dict[str, np.ndarray]:
        arrays = stored_parts({"frame": self._frame, "blocks": self._blocks})
        arrays |= {name: np.array(getattr(self, f"_{name}")) for name in ("open", "nearest", "broken", "first")}
        return arrays | stored_runs(self._runs) | self._settings()

    def load(self, state: dict[str, np.ndarray]) -> None:
        check_settings(state, self._settings())
        load_parts(state, {"frame": self._frame, "blocks": self._blocks})
        for name in ("open", "nearest", "broken", "first"):
            setattr(self, f"_{name}", np.array(state[name]))
        self._runs = loaded_runs(state, RunStability)

    def _settings(self) -> dict[str, np.ndarray]:
        own = {"symbols": self.symbols, "bonds": self._bonds.atoms, "pbc": self.pbc}
        return self._frame.settings() | own | {name: np.array(getattr(self, name)) for name in ("stride", "timestep")}

    def _moments(self, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Views of Σ u (…, n_atoms, 3) and Σ |u|² (…, n_atoms)."""
        n = len(self._frame.atoms)
        return sums[..., : 3 * n].reshape(*sums.shape[:-1], n, 3), sums[..., 3 * n : 4 * n]

    def _look(self, broken: np.ndarray, start: int) -> None:
        self._broken += broken.sum(0)
        now = (self._first < 0) & broken.any(0)
        self._first[now] = start + broken.argmax(0)[now]

    def _finished(self) -> tuple[RunStability, ...]:
        """Of this run, where it has two frames, and of those that were merged."""
        frames, n = self._frame.seen, len(self._frame.atoms)
        if frames < 2:
            return self._runs
        total, squares = self._moments(self._blocks.total + self._open)
        mean, length = total / frames, int(self._blocks.length) * TOGETHER
        by_block = square_about(mean, *self._moments(self._blocks.sums), length)
        whole = np.where(self._first < 0, frames, self._first)
        interval = self.timestep * self._frame.interval
        own = RunStability(
            square=square_about(mean, total, squares, frames),
            square_blocks=np.stack([by_block[:, self.symbols == s].mean(1) for s in self.species], axis=1),
            nearest=self._nearest[:-1] / self._nearest[-1],
            broken=self._broken / frames,
            first_broken=np.where(self._first < 0, -1, self._frame.step(self._first)),
            whole=whole,
            intact_blocks=self._blocks.sums[:, 4 * n :] / (length * np.bincount(self._bonds.kind_of, minlength=len(self._bonds.kinds))),
            block_time=np.array(length * interval),
            interval=np.array(interval),
        )
        return (own, *self._runs)
