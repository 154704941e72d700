"""What came of a run: diffusivity and conductivity of every condition, with errors or bounds, read from its trajectories."""

from collections import defaultdict
from collections.abc import Sequence
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
    nernst_einstein,
    no_result,
    times_temperature,
    tracer_diffusivity,
)
from mlff.geometry.anion_motion import constrained_motions
from mlff.md.forces import MEAN
from mlff.md.plan import Plan
from mlff.md.replica import Replica
from mlff.md.simulation import REPLICAS, TRAJECTORY
from mlff.trajectory import Frames, Trajectory

MOBILE = {"Li": 1, "Na": 1, "K": 1, "Ag": 1, "Cu": 1}  # charge, e
PAIR_FRAMES = 100  # of each replica, for g(r)


@dataclass(frozen=True)
class Condition:
    """Replicas that differ in their seeds alone.

    structure: its name. member: that drives, or None for the mean.
    """

    structure: str
    temperature: float
    mode: str
    member: int | None


@dataclass(frozen=True)
class Measured:
    """What the replicas of one condition say together; estimates without a value say why.

    displacements: None where no two frames were recorded.
    """

    condition: Condition
    replicas: Sequence[str]
    mobile: str
    displacements: Displacements | None
    diffusivity: Estimate
    conductivity: Estimate
    details: TracerDiffusivity | None
    pairs: PairDistribution | None


def measure(plan: Plan, folder: Path, mobile: str | None = None) -> list[Measured]:
    """Of every condition, from the frames of the last recorded stage.

    Args:
        mobile: symbol of the ion; None: the first of `MOBILE` that a structure has.
    """
    of_condition: dict[Condition, list[Replica]] = defaultdict(list)
    for replica in plan.replicas:
        of_condition[condition_of(replica)].append(replica)
    with tqdm(total=len(plan.replicas), unit="replica", desc="displacements and g(r)", disable=None) as bar:
        return [_measured(condition, replicas, plan, folder, mobile, bar) for condition, replicas in of_condition.items()]


def condition_of(replica: Replica) -> Condition:
    return Condition(replica.structure, replica.temperature, replica.mode, None if replica.driver == MEAN else replica.driver)


def arrhenius_lines(measured: Sequence[Measured]) -> dict[tuple[str, str], Arrhenius]:
    """σT against 1/T by structure and mode, of the committee's mean where members drove as well."""
    of_line: dict[tuple[str, str], dict[float, Estimate]] = defaultdict(dict)
    for one in measured:
        where = one.condition
        of_line[where.structure, where.mode].setdefault(where.temperature, times_temperature(one.conductivity, where.temperature))
    return {line: fit_arrhenius(values) for line, values in of_line.items()}


def mobile_ion(symbols: Sequence[str], asked: str | None) -> str:
    """The ion whose diffusion is told.

    Raises:
        ValueError: the structure has none of that symbol, or none that is known to move.
    """
    present = set(symbols)
    found = next((symbol for symbol in ([asked] if asked else MOBILE) if symbol in present), None)
    if found is None:
        expected = asked or "one of " + ", ".join(MOBILE)
        raise ValueError(f"the structure holds {', '.join(sorted(present))}, expected {expected}; name the ion that moves with `mobile`")
    return found


def _measured(condition: Condition, replicas: Sequence[Replica], plan: Plan, folder: Path, asked: str | None, bar: tqdm) -> Measured:
    symbols = replicas[0].atoms.get_chemical_symbols()
    mobile = mobile_ion(symbols, asked)
    ions, masses = np.array(symbols) == mobile, replicas[0].atoms.get_masses()
    drift = None
    if _rests(plan, condition.mode):
        drift = masses if ions.all() else masses * ~ions
    runs, pairs, volumes = [], None, []
    for replica in replicas:
        trajectory = Trajectory(folder / REPLICAS / replica.name / TRAJECTORY)
        first = _first_frame(plan, trajectory)
        n_frames = len(trajectory) - first
        bar.update()
        if n_frames < 2:
            continue
        run = MeanSquareDisplacement(ions, plan.settings.timestep, drift)
        seen = PairDistributionAccumulator(symbols, stride=max(1, n_frames // PAIR_FRAMES))
        for frames in trajectory.chunks(start=first):
            run.update(frames)
            seen.update(frames)
            volumes.append(_volumes(frames))
        runs.append(run)
        pairs = seen if pairs is None else pairs
        if pairs is not seen:
            pairs.merge(seen)
    if not runs:
        nothing = no_result("no two frames were recorded", "cm²/s")
        return Measured(condition, [r.name for r in replicas], mobile, None, nothing, no_result(nothing.reason, "S/cm"), None, None)
    for run in runs[1:]:
        runs[0].merge(run)
    displacements = runs[0].result()
    details, diffusivity = _diffusivity(displacements)
    charge, volume = MOBILE.get(mobile, 1), float(np.concatenate(volumes).mean())
    conductivity = nernst_einstein(diffusivity, int(ions.sum()), charge, volume, condition.temperature)
    names = [replica.name for replica in replicas]
    return Measured(condition, names, mobile, displacements, diffusivity, conductivity, details, pairs.result())


def _diffusivity(displacements: Displacements) -> tuple[TracerDiffusivity | None, Estimate]:
    try:
        details = tracer_diffusivity(displacements)
    except ValueError as too_short:
        return None, no_result(str(too_short), "cm²/s")
    return details, details.diffusivity


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


def _volumes(frames: Frames) -> np.ndarray:
    return np.abs(np.linalg.det(frames.cells))
