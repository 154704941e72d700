"""What came of a run: diffusivity and conductivity of every condition, with errors or bounds, read from its trajectories."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from mlff.analysis import (
    Arrhenius,
    Displacements,
    Estimate,
    MeanSquareDisplacement,
    PairDistribution,
    PairDistributionAccumulator,
    TracerDiffusivity,
    fit_arrhenius,
    mobile_ion,
    nernst_einstein,
    no_result,
    times_temperature,
    tracer_diffusivity,
)
from mlff.analysis.system import CHARGES
from mlff.geometry.anion_motion import constrained_motions
from mlff.md.forces import MEAN
from mlff.md.plan import Plan
from mlff.md.relax import Relax
from mlff.md.replica import Replica
from mlff.md.run_folder import REPLICAS, TRAJECTORY
from mlff.report import MotionShares
from mlff.run.motion_shares import motion_shares
from mlff.trajectory import Trajectory

PAIR_FRAMES = 100  # of each replica, for g(r)
UNRECORDED = "no two frames were recorded"


# σT by temperature, and the line through it, by structure and mode
Lines = Mapping[tuple[str, str], tuple[Mapping[float, Estimate], Arrhenius]]


@dataclass(frozen=True)
class Condition:
    """Replicas that differ in their seeds alone.

    structure: its name. temperature: K. mode: of constraint. member: that drives, or None for the mean.
    """

    structure: str
    temperature: float
    mode: str
    member: int | None


@dataclass(frozen=True)
class Measured:
    """What one replica says, or several together; estimates without a value say why.

    displacements, details: None where too little was recorded.
    """

    displacements: Displacements | None
    details: TracerDiffusivity | None
    diffusivity: Estimate
    conductivity: Estimate


@dataclass(frozen=True)
class Result:
    """What the replicas of a condition say: each by its name, and all of them as independent runs."""

    condition: Condition
    mobile: str
    each: Mapping[str, Measured]
    together: Measured
    pairs: PairDistribution | None


NOTHING = Measured(None, None, no_result(UNRECORDED, "cm²/s"), no_result(UNRECORDED, "S/cm"))


def measure(plan: Plan, folder: Path, mobile: str | None = None) -> list[Result]:
    """Of every condition, from the frames of the last recorded stage; of none where it was a descent, which is no dynamics.

    Args:
        mobile: symbol of the ion; None: the first of `mlff.analysis.system.CHARGES` that a structure has.
    """
    of_condition: dict[Condition, list[Replica]] = defaultdict(list)
    if isinstance(plan.ensemble_of(plan.protocol.stages[-1]), Relax):
        return []
    for replica in plan.replicas:
        of_condition[condition_of(replica)].append(replica)
    with tqdm(total=len(plan.replicas), unit="replica", desc="displacements and g(r)", disable=None) as bar:
        return [_result(condition, replicas, plan, folder, mobile, bar) for condition, replicas in of_condition.items()]


def condition_of(replica: Replica) -> Condition:
    return Condition(replica.structure, replica.temperature, replica.mode, None if replica.driver == MEAN else replica.driver)


def arrhenius_lines(results: Sequence[Result]) -> Lines:
    """σT by temperature and the line through it, by structure and mode; where members drove replicas of their own, the first's."""
    of_line: dict[tuple[str, str], dict[float, Estimate]] = defaultdict(dict)
    for result in results:
        where, conductivity = result.condition, result.together.conductivity
        of_line[where.structure, where.mode].setdefault(where.temperature, times_temperature(conductivity, where.temperature))
    return {line: (values, fit_arrhenius(values)) for line, values in of_line.items()}


def shares_of(results: Sequence[Result]) -> list[MotionShares]:
    """At each structure and temperature where the ladder was run, members apart."""
    of_place = {}
    for result in results:
        where = result.condition
        structure = where.structure if where.member is None else f"{where.structure}, member {where.member}"
        of_place.setdefault((structure, where.temperature), {})[where.mode] = result.together.conductivity
    return motion_shares(of_place)


def _result(condition: Condition, replicas: Sequence[Replica], plan: Plan, folder: Path, asked: str | None, bar: tqdm) -> Result:
    symbols = replicas[0].atoms.get_chemical_symbols()
    mobile = mobile_ion(symbols, asked)
    ions, masses = np.array(symbols) == mobile, replicas[0].atoms.get_masses()
    drift = None
    if _rests(plan, condition.mode):
        drift = masses if ions.all() else masses * ~ions
    runs, pairs, volumes = {}, [], []
    for replica in replicas:
        trajectory = Trajectory(folder / REPLICAS / replica.name / TRAJECTORY)
        first = _first_frame(plan, trajectory)
        if (n_frames := len(trajectory) - first) > 1:
            run = runs[replica.name] = MeanSquareDisplacement(ions, plan.settings.timestep, drift)
            pairs.append(PairDistributionAccumulator(symbols, stride=max(1, n_frames // PAIR_FRAMES)))
            for frames in trajectory.chunks(start=first):
                run.update(frames)
                pairs[-1].update(frames)
                volumes.append(np.abs(np.linalg.det(frames.cells)))
        bar.update()
    each = {replica.name: NOTHING for replica in replicas}
    if not runs:
        return Result(condition, mobile, each, NOTHING, None)
    of_sigma = {"n_ions": int(ions.sum()), "charge": CHARGES.get(mobile, 1), "volume": float(np.concatenate(volumes).mean())}
    each |= {name: _measured(run.result(), temperature=condition.temperature, **of_sigma) for name, run in runs.items()}
    for of_kind in (list(runs.values()), pairs):
        for other in of_kind[1:]:
            of_kind[0].merge(other)
    together = _measured(next(iter(runs.values())).result(), temperature=condition.temperature, **of_sigma)
    return Result(condition, mobile, each, together, pairs[0].result())


def _measured(displacements: Displacements, n_ions: int, charge: float, volume: float, temperature: float) -> Measured:
    try:
        details = tracer_diffusivity(displacements)
    except ValueError as too_short:
        return Measured(displacements, None, no_result(str(too_short), "cm²/s"), no_result(str(too_short), "S/cm"))
    conductivity = nernst_einstein(details.diffusivity, n_ions, charge, volume, temperature)
    return Measured(displacements, details, details.diffusivity, conductivity)


def _rests(plan: Plan, mode: str) -> bool:
    """Whether nothing takes up momentum in the recorded stage, so that a drift is none of the physics."""
    return plan.ensemble_of(plan.protocol.stages[-1]).conserves_momentum and "T" not in constrained_motions(mode)


def _first_frame(plan: Plan, trajectory: Trajectory) -> int:
    """The first frame of the last recorded stage."""
    begins, step = 0, 0
    for stage in plan.protocol.stages:
        if stage.record:
            begins = step
        step += stage.n_steps(plan.settings.timestep)
    return int(np.searchsorted(trajectory.steps, begins, side="right"))
