"""Molecular dynamics of a committee over structures, temperatures, pressures and constraints, in search of what it does not know."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read

from mlff.active.explored import Condition, Explored
from mlff.active.surrogate import Surrogate
from mlff.engine import Committee
from mlff.md.batch import Settings
from mlff.md.dynamics import Ensemble
from mlff.md.guards import Bounds
from mlff.md.plan import Plan
from mlff.md.protocol import Protocol, Stage
from mlff.md.recorder import Intervals
from mlff.md.replica import Replica
from mlff.md.run_folder import REPLICAS, STOPPED, STOPPED_FRAME, TRAJECTORY
from mlff.md.simulation import Simulation
from mlff.md.watch import Silent, Watch
from mlff.structure import structure
from mlff.trajectory import Trajectory
from mlff.units import GPA

RUNS_APART = 1000  # between the seeds of rounds: no round has more runs of one condition


@dataclass(frozen=True)
class Exploration:
    """A stage of a schedule: what is run in each of its rounds.

    structures: names or files, as `mlff.structure.structure` takes them; repeat: cells of each.
    temperatures: K; pressures: GPa; modes: of the anions' constraints.
    runs: independent ones of each structure, temperature, pressure and mode.
    duration: ps, at constant temperature; or protocol: stages of `mlff.md.protocol`, each a mapping (a melt and quench, say).
    ensemble: its name.
    most_rounds: after which the schedule goes on without having converged; None: never.
    """

    name: str
    structures: Sequence[str]
    temperatures: Sequence[float]
    duration: float | None = None
    repeat: Sequence[int] | None = None
    pressures: Sequence[float] = (0.0,)
    modes: Sequence[str] = ("UC",)
    runs: int = 1
    ensemble: str = "csvr"
    protocol: Sequence[Mapping] | None = None
    most_rounds: int | None = None

    def __post_init__(self):
        if (self.duration is None) == (self.protocol is None):
            raise ValueError(f"stage {self.name}: duration is {self.duration} and protocol {self.protocol}, expected one of the two")
        for name in ("structures", "temperatures", "pressures", "modes"):
            if not getattr(self, name):
                raise ValueError(f"stage {self.name}: {name} is empty, expected one at least")
        if not 1 <= self.runs <= RUNS_APART:
            raise ValueError(f"stage {self.name}: runs is {self.runs}, expected 1 … {RUNS_APART}")
        if self.most_rounds is not None and self.most_rounds < 1:
            raise ValueError(f"stage {self.name}: most_rounds is {self.most_rounds}, expected 1 at least, or null")
        self.stages()

    def stages(self) -> Protocol:
        given = self.protocol or [{"name": "exploration", "duration": self.duration}]
        return Protocol([Stage(**stage) for stage in given])


@dataclass(frozen=True)
class Explorer:
    """How exploration is run, whatever is explored.

    ensembles: by the names that stages use. settings: timestep and the like. record: fs, from frame to frame; chunk: fs, from checkpoint
    to checkpoint. bounds: of the guards; the deviation is the criterion's.
    """

    ensembles: Mapping[str, Ensemble]
    settings: Settings
    record: float = 20.0
    chunk: float = 1000.0
    bounds: Bounds = field(default_factory=Bounds)

    def __post_init__(self):
        self.intervals()

    def intervals(self) -> Intervals:
        """In steps; a frame is looked at by the guards when it is recorded."""
        steps = {}
        for name in ("record", "chunk"):
            every = getattr(self, name)
            steps[name] = round(every / self.settings.timestep)
            if steps[name] < 1 or abs(steps[name] * self.settings.timestep - every) > 1e-6:
                raise ValueError(f"{name} is {every} fs, expected a multiple of the timestep, {self.settings.timestep} fs")
        return Intervals(frames=steps["record"], thermo=steps["record"], check=steps["record"], chunk=steps["chunk"])

    def explore(
        self, exploration: Exploration, potential: Committee, stop: float | None, round: int, seed: int, folder: Path, watch: Watch
    ) -> list[Explored]:
        """Run all replicas of a round to their ends, or go on where they are; a folder that is complete is only read.

        Args:
            stop: the deviation, eV/Å, at which a replica is stopped. round: its number: every round has seeds of its own.
        """
        plan = self.plan(exploration, potential, stop, round, seed)
        endings = Simulation(plan, folder, watch).run()
        return [self._read(plan, replica, folder, endings[replica.name], exploration) for replica in plan.replicas]

    def plan(self, exploration: Exploration, potential: Committee, stop: float | None, round: int, seed: int) -> Plan:
        protocol = exploration.stages()
        if exploration.ensemble not in self.ensembles:
            raise ValueError(f"stage {exploration.name}: ensemble is {exploration.ensemble!r}, expected one of {sorted(self.ensembles)}")
        kinds = sorted({stage.ensemble or exploration.ensemble for stage in protocol.stages})
        if any(exploration.pressures) and not any(self.ensembles[kind].varies_cell for kind in kinds if kind in self.ensembles):
            raise ValueError(
                f"stage {exploration.name}: pressures are {list(exploration.pressures)} GPa, but "
                f"no cell varies in {', '.join(kinds)}, so that they would do nothing; choose the ensemble npt, or leave them at [0.0]"
            )
        if not self._n_planned(protocol):
            raise ValueError(
                f"stage {exploration.name}: no frame is recorded; expected a duration of {self.record} fs (explore.record) at least"
            )
        return Plan(
            potential=potential,
            replicas=replicas(exploration, round, seed),
            protocol=protocol,
            ensemble=self.ensembles[exploration.ensemble],
            settings=self.settings,
            others=self.ensembles,
            intervals=self.intervals(),
            bounds=replace(self.bounds, deviation=stop),
            about={"round": round, "stage": exploration.name},
        )

    def _read(self, plan: Plan, replica: Replica, folder: Path, ending: str, exploration: Exploration) -> Explored:
        place = folder / REPLICAS / replica.name
        trajectory = Trajectory(place / TRAJECTORY)
        condition = condition_of(replica)
        frames, steps = list(trajectory), trajectory.steps.tolist()
        if (place / STOPPED).exists():
            last = read(place / STOPPED_FRAME, index=0)
            step = int(json.loads((place / STOPPED).read_text())["step"])
            if step not in steps and np.isfinite(last.positions).all():
                frames, steps = [*frames, last], [*steps, step]
        info = {"structure": condition.structure, "temperature": condition.temperature, "config_type": condition.structure}
        plain = [_plain(atoms, info | {"trajectory": replica.name, "step": step}) for atoms, step in zip(frames, steps, strict=True)]
        return Explored(
            replica.name, condition, plain, np.array(steps, int), plan.settings.timestep, self._n_planned(plan.protocol), ending
        )

    def _n_planned(self, protocol: Protocol) -> int:
        """Frames of a trajectory that nothing stops."""
        every = self.intervals().frames
        return sum(stage.n_steps(self.settings.timestep) // every for stage in protocol.stages if stage.record)


def explore_elsewhere(
    explorer: Explorer, exploration: Exploration, model: str, stop: float | None, round: int, seed: int, folder: str
) -> None:
    """`Explorer.explore` as a task of an executor, which leaves what it found in the folder.

    Args:
        model: folder of the committee's artefact.
    """
    explorer.explore(exploration, Surrogate(Path(model)).committee, stop, round, seed, Path(folder), Silent())


def replicas(exploration: Exploration, round: int, seed: int) -> list[Replica]:
    """Every combination of structures, temperatures, pressures and modes, `runs` of each, with seeds that no other round has."""
    found = []
    combinations = product(exploration.structures, exploration.temperatures, exploration.pressures, exploration.modes)
    for source, temperature, pressure, mode in combinations:
        name = Path(str(source)).stem
        condition = Condition(name, float(temperature), float(pressure), mode)
        for run in range(exploration.runs):
            own = (seed * RUNS_APART + round) * RUNS_APART + run
            found.append(
                Replica(
                    name=f"r{round:03d}_{condition}_s{run}",
                    atoms=structure(source, exploration.repeat, own),
                    temperature=float(temperature),
                    pressure=pressure * GPA,
                    mode=mode,
                    seed=own,
                    structure=name,
                )
            )
    return found


def condition_of(replica: Replica) -> Condition:
    return Condition(replica.structure, replica.temperature, round_pressure(replica.pressure / GPA), replica.mode)


def round_pressure(pressure: float) -> float:
    """GPa, without what two conversions add."""
    return round(pressure, 9)


def _plain(atoms: Atoms, info: Mapping[str, object]) -> Atoms:
    """Without velocities and results: only the structure is labelled."""
    copy = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    copy.info = dict(info)
    return copy
