"""Whether what is to be measured with a committee depends on which of its members drives the dynamics."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from pathlib import Path

import numpy as np

from mlff.active.executors import Workers
from mlff.active.explore import RUNS_APART, Explorer
from mlff.active.explored import FINISHED
from mlff.active.surrogate import Surrogate
from mlff.analysis import (
    Estimate,
    MeanSquareDisplacement,
    PairDistribution,
    PairDistributionAccumulator,
    no_result,
    tracer_diffusivity,
)
from mlff.engine import Committee
from mlff.md.plan import Plan
from mlff.md.protocol import Protocol, Stage
from mlff.md.replica import Replica
from mlff.md.run_folder import REPLICAS, TRAJECTORY
from mlff.md.simulation import Simulation
from mlff.md.watch import Silent, Watch
from mlff.structure import structure
from mlff.trajectory import Trajectory
from mlff.whole_file import written_whole

STABLE, UNSTABLE, UNDECIDED = "stable", "unstable", "undecided"
PAIR_FRAMES = 200  # of each run, for g(r)
SURE = 1.645  # standard deviations: one-sided, 95 %
RESULT = "confirmation.json"


@dataclass(frozen=True)
class Confirmation:
    """What every member of the committee is to simulate by itself.

    structure: a name or a file, repeat: cells of it. temperature: K. duration, equilibration: ps. ensemble: its name.
    runs: of each member, two at least: their scatter tells what chance does.
    pairs: such as "Li-S"; None: all of the mobile ion. r_max: Å, of g(r).
    pair_tolerance: of ∫|g_k − ḡ| r² dr / ∫ ḡ r² dr of any member k. slope_tolerance: of |D_k − D̄| / D̄; None: diffusion is not compared.
    """

    structure: str
    temperature: float
    duration: float
    equilibration: float = 2.0
    repeat: Sequence[int] | None = None
    runs: int = 2
    ensemble: str = "csvr"
    pairs: Sequence[str] | None = None
    r_max: float = 8.0
    pair_tolerance: float = 0.05
    slope_tolerance: float | None = 0.3

    def __post_init__(self):
        if not 2 <= self.runs <= RUNS_APART:
            raise ValueError(f"confirm.runs is {self.runs}, expected 2 … {RUNS_APART}: one run of a member has no scatter")
        for name in ("duration", "equilibration", "temperature", "r_max", "pair_tolerance", "slope_tolerance"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"confirm.{name} is {value}, expected above 0")

    def protocol(self) -> Protocol:
        return Protocol([Stage("equilibration", self.equilibration, record=False), Stage("production", self.duration)])

    def key(self) -> str:
        """Of what the runs depend on; they may become longer."""
        other = ("duration", "pairs", "r_max", "pair_tolerance", "slope_tolerance")
        own = {name: value for name, value in asdict(self).items() if name not in other}
        return hashlib.sha256(json.dumps(own, default=list).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Agreement:
    """How much one observable differs between members.

    difference: the largest of a member from the mean of all, relative to it, of member `member`; None where it was not measured.
    error: what chance makes of it, one standard deviation. allowed: the tolerance. members: the observable of each in words, or its
    difference. verdict: stable, unstable where the difference is larger than allowed and chance does not explain that, else undecided.
    """

    observable: str
    difference: float | None
    error: float | None
    member: int | None
    allowed: float
    members: tuple[str, ...]
    verdict: str

    def __str__(self) -> str:
        if self.difference is None:
            return f"{self.observable}: {'; '.join(self.members)}"
        return (
            f"{self.observable}: member {self.member} differs from the mean by {self.difference:.1%} (by chance {self.error:.1%}), "
            f"allowed {self.allowed:.0%}"
        )


@dataclass(frozen=True)
class Confirmed:
    """What came of a confirmation.

    model: its folder. stopped: runs that a guard ended, and why. verdict: the worst of the agreements'; reason: in words, with what to do.
    """

    model: str
    asked: Confirmation
    n_members: int
    agreements: tuple[Agreement, ...]
    stopped: dict[str, str]
    verdict: str
    reason: str

    def write(self, path: Path) -> None:
        """JSON, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as file:
            file.write_text(json.dumps(asdict(self), indent=1, default=list))


Confirm = Callable[[Path, Path, Watch], Confirmed]


def confirm(
    asked: Confirmation, explorer: Explorer, mobile: str, seed: int, gpu: Workers | None, model: Path, folder: Path, watch: Watch
) -> Confirmed:
    """Run what is asked for, or go on where it is, compare the members, and write confirmation.json.

    Args:
        explorer: says how dynamics is run. mobile: symbol of the ion whose diffusion is compared. gpu: where dynamics run; None: in this
            process. model: folder of the committee's artefact, in a round's folder. folder: of all confirmations of a campaign.
    Raises:
        ValueError: what a plan refuses, pairs or an ion that the structure does not have.
    """
    place = folder / f"{Path(model).parent.parent.name}_{asked.key()}"
    if gpu is not None:
        gpu.submit(_simulate_elsewhere, asked, explorer, seed, str(Path(model).resolve()), str(place.resolve())).result()
    plan = plan_of(asked, explorer, Surrogate(model).committee, seed)
    pairs = pairs_of(asked, plan.replicas[0].atoms.get_chemical_symbols(), mobile)
    endings = Simulation(plan, place, watch).run()
    found = compared(asked, plan, place, endings, pairs, mobile, str(model))
    found.write(folder / RESULT)
    return found


def plan_of(asked: Confirmation, explorer: Explorer, committee: Committee, seed: int) -> Plan:
    """Every member drives `runs` replicas; run k of each begins with the same structure, and with velocities of its own."""
    if asked.ensemble not in explorer.ensembles:
        raise ValueError(f"confirm.ensemble is {asked.ensemble!r}, expected one of {sorted(explorer.ensembles)}")
    name, replicas = Path(str(asked.structure)).stem, []
    for run in range(asked.runs):
        own = (seed * RUNS_APART + RUNS_APART - 1) * RUNS_APART + run
        atoms = structure(asked.structure, asked.repeat, own)
        for member in range(len(committee)):
            words = f"{name}_{asked.temperature:g}K_m{member}_s{run}"
            replicas.append(Replica(words, atoms, asked.temperature, seed=own, driver=member, structure=name))
    return Plan(
        potential=committee,
        replicas=replicas,
        protocol=asked.protocol(),
        ensemble=explorer.ensembles[asked.ensemble],
        settings=explorer.settings,
        others=explorer.ensembles,
        intervals=explorer.intervals(),
        bounds=replace(explorer.bounds, deviation=None),
        about={"stage": "confirmation"},
    )


def pairs_of(asked: Confirmation, symbols: Sequence[str], mobile: str) -> list[tuple[str, str]]:
    """In the order of the alphabet, as g(r) names them."""
    present = set(symbols)
    if mobile not in present:
        raise ValueError(f"confirm.structure holds {', '.join(sorted(present))}, expected {mobile}; name the ion that moves in `mobile`")
    given = [f"{mobile}-{symbol}" for symbol in sorted(present)] if asked.pairs is None else asked.pairs
    pairs = [tuple(sorted(pair.split("-"))) for pair in given]
    if strange := [text for text, pair in zip(given, pairs, strict=True) if len(pair) != 2 or not present.issuperset(pair)]:
        raise ValueError(f"confirm.pairs holds {', '.join(strange)}, expected two of {', '.join(sorted(present))} each, such as {given[0]}")
    return pairs


def compared(
    asked: Confirmation, plan: Plan, folder: Path, endings: dict[str, str], pairs: Sequence[tuple[str, str]], mobile: str, model: str
) -> Confirmed:
    """The members by what their runs in `folder` left."""
    by_member: dict[int, list[Replica]] = {}
    for replica in plan.replicas:
        by_member.setdefault(replica.driver, []).append(replica)
    stopped = {name: why for name, why in endings.items() if why != FINISHED}
    agreements = []
    if not stopped:
        g, displacements = [], []
        for replicas in by_member.values():
            runs = [_observed(plan, replica, folder, mobile, asked.r_max) for replica in replicas]
            g.append([run[0].result() for run in runs])
            displacements.append(reduce(_merged, (run[1] for run in runs)))
        agreements = [pair_agreement(pair, g, asked.pair_tolerance) for pair in pairs]
        if asked.slope_tolerance is not None:
            values = [_diffusivity(own) for own in displacements]
            agreements.append(slope_agreement(f"the diffusivity of {mobile}", values, asked.slope_tolerance))
    verdict, reason = _verdict(asked, agreements, stopped)
    return Confirmed(model, asked, len(by_member), tuple(agreements), stopped, verdict, reason)


def pair_agreement(pair: tuple[str, str], g: Sequence[Sequence[PairDistribution]], allowed: float) -> Agreement:
    """max_k ∫|g_k − ḡ| r² dr / ∫ ḡ r² dr, with g_k the mean of the member's R runs and ḡ that of all K members.

    What chance makes of it is seen within members: where runs scatter by σ, ⟨|g_kr − g_k|⟩ ∝ σ √((R − 1)/R), and with members that are
    alike ⟨|g_k − ḡ|⟩ ∝ σ √((K − 1)/(K R)).

    Args:
        g: by member and run, of equal bins, R ≥ 2.
    """
    runs = np.array([[one.g[pair] for one in own] for own in g])  # (K, R, n_bins)
    n_members, n_runs = runs.shape[:2]
    members, weight = runs.mean(1), g[0][0].r ** 2
    area = (members.mean(0) * weight).sum()
    if not area > 0:
        raise ValueError(
            f"found no {'-'.join(pair)} within {g[0][0].edges[-1]:g} Å, expected some; raise confirm.r_max or leave the pair out"
        )
    apart = (np.abs(members - members.mean(0)) * weight).sum(-1) / area
    within = (np.abs(runs - members[:, None]) * weight).sum(-1).mean() / area
    error = float(within * np.sqrt((n_members - 1) / (n_members * (n_runs - 1))))
    worst = int(np.argmax(apart))
    words = tuple(f"{share:.1%}" for share in apart)
    return Agreement(f"g(r) of {'–'.join(pair)}", float(apart[worst]), error, worst, allowed, words, _judged(apart[worst], error, allowed))


def slope_agreement(observable: str, values: Sequence[Estimate], allowed: float) -> Agreement:
    """max_k |D_k − D̄| / D̄ where every member has a value; where one has bounds only, whether these leave room for all.

    Args:
        values: of each member, with errors of their own.
    """
    words = tuple(f"{value}" if value.known else f"{value}, because {value.reason}" for value in values)
    if not all(value.known for value in values):
        limits = np.array([value.limits for value in values])
        apart = limits[:, 0].max() > limits[:, 1].min()
        return Agreement(observable, None, None, None, allowed, words, UNSTABLE if apart else UNDECIDED)
    found, errors = np.array([value.value for value in values]), np.array([value.error for value in values])
    mean = found.mean()
    apart = np.abs(found - mean) / abs(mean)
    error = float(np.sqrt((errors**2).mean() * (len(found) - 1) / len(found)) / abs(mean))
    worst = int(np.argmax(apart))
    return Agreement(observable, float(apart[worst]), error, worst, allowed, words, _judged(apart[worst], error, allowed))


def _judged(difference: float, error: float, allowed: float) -> str:
    if difference <= allowed:
        return STABLE
    return UNSTABLE if difference - SURE * error > allowed else UNDECIDED


def _verdict(asked: Confirmation, agreements: Sequence[Agreement], stopped: dict[str, str]) -> tuple[str, str]:
    where = f"{Path(str(asked.structure)).stem} at {asked.temperature:g} K"
    remedy = f"label more frames at {asked.temperature:g} K (a stage of the schedule with more runs there), or lower the criterion's levels"
    if stopped:
        name, why = next(iter(stopped.items()))
        return UNSTABLE, f"members do not agree on {where}: {len(stopped)} runs were stopped, {name} because {why}; {remedy}"
    by_verdict = {verdict: [one for one in agreements if one.verdict == verdict] for verdict in (UNSTABLE, UNDECIDED)}
    if unstable := by_verdict[UNSTABLE]:
        return UNSTABLE, f"members do not agree on {where}: {'; '.join(map(str, unstable))}; {remedy}"
    if undecided := by_verdict[UNDECIDED]:
        longer = "confirm.duration or confirm.runs, or, where nothing diffuses, confirm.temperature"
        return UNDECIDED, f"whether members agree on {where} is not decided: {'; '.join(map(str, undecided))}; raise {longer}"
    return STABLE, f"members agree on {where}: {'; '.join(map(str, agreements))}"


def _observed(plan: Plan, replica: Replica, folder: Path, mobile: str, r_max: float) -> tuple:
    """g(r) and the displacements of the mobile ions of one run."""
    symbols = replica.atoms.get_chemical_symbols()
    ions, masses = np.array(symbols) == mobile, replica.atoms.get_masses()
    drift = None
    if plan.ensemble.conserves_momentum:
        drift = masses if ions.all() else masses * ~ions
    trajectory = Trajectory(folder / REPLICAS / replica.name / TRAJECTORY)
    pairs = PairDistributionAccumulator(symbols, r_max=r_max, stride=max(1, len(trajectory) // PAIR_FRAMES))
    moved = MeanSquareDisplacement(ions, plan.settings.timestep, drift)
    for frames in trajectory.chunks():
        pairs.update(frames)
        moved.update(frames)
    return pairs, moved


def _merged(one: MeanSquareDisplacement, other: MeanSquareDisplacement) -> MeanSquareDisplacement:
    one.merge(other)
    return one


def _diffusivity(moved: MeanSquareDisplacement) -> Estimate:
    try:
        return tracer_diffusivity(moved.result()).diffusivity
    except ValueError as too_short:
        return no_result(str(too_short))


def _simulate_elsewhere(asked: Confirmation, explorer: Explorer, seed: int, model: str, folder: str) -> None:
    """As a task of an executor, which leaves what it found in the folder."""
    Simulation(plan_of(asked, explorer, Surrogate(Path(model)).committee, seed), Path(folder), Silent()).run()
