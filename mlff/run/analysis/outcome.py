"""What came of the passes: the results of every condition, from all its trajectories together and from each alone."""

import copy
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from tqdm import tqdm

from mlff.analysis import Accumulator, Displacements, Estimate, NotApplicable, System
from mlff.analysis.conductivity.run_statistics import CombinedRuns, combine_runs
from mlff.analysis.conductivity.transport import Transport, transport
from mlff.analysis.streaming import Pass
from mlff.run.analysis.sources import Condition, Source
from mlff.units import PS

log = logging.getLogger(__name__)

Make = Callable[[System], Accumulator]
GROWN = 4  # times as long: lags and strides that were chosen for the shorter run are then chosen anew, and all is read again


@dataclass(frozen=True)
class Outcome:
    """Of one condition.

    results: by observable. each: displacements of every trajectory, by its name. left_out: why, by observable.
    cost: ns of processor time per atom and entry, by observable.
    """

    condition: Condition
    system: System
    sources: Sequence[Source]
    results: Mapping[str, object]
    each: Mapping[str, Displacements]
    left_out: Mapping[str, str]
    cost: Mapping[str, float]

    @cached_property
    def transport(self) -> Transport | None:
        """Of all trajectories together; None where displacements were not analysed."""
        if "msd" not in self.results:
            return None
        return transport(self.results["msd"], self.system.charge, self.system.temperature)

    @cached_property
    def combined(self) -> CombinedRuns | None:
        """The diffusivity from the scatter of single trajectories and, where members of a committee drove them, of the members; None
        of one trajectory."""
        if len(self.each) < 2 or "msd" not in self.results:
            return None
        by_driver: dict[str, list[Estimate]] = defaultdict(list)
        for source in self.sources:
            told = transport(self.each[source.name], self.system.charge, self.system.temperature)
            by_driver[str(source.driver)].append(told.diffusivity)
        return combine_runs(by_driver)

    @property
    def duration(self) -> float:
        """ps, of one trajectory as it was when its first frame was read."""
        return (self.system.n_frames - 1) * self.system.frame_time / PS


def outcomes(sources: Sequence[Source], observables: Mapping[str, Make], folder: Path, threads: int, follow: float | None) -> list[Outcome]:
    """Reads what is new in each trajectory, and joins those of one condition.

    Raises:
        ValueError: an observable refuses a trajectory; states of what was read before stay in the folder.
    """
    of_condition: dict[Condition, list[Source]] = defaultdict(list)
    for source in sources:
        of_condition[source.condition].append(source)
    found = []
    for condition, members in of_condition.items():
        n_frames = max(source.system.n_frames for source in members)  # one choice of lags and strides, so that all can be joined
        read = [(s, *_read(s, n_frames, observables, folder / "states" / s.name, threads, follow)) for s in members]
        found.append(_outcome(condition, read))
    return found


def _read(
    source: Source, n_frames: int, observables: Mapping[str, Make], kept: Path, threads: int, follow: float | None
) -> tuple[Pass, dict[str, str]]:
    before = Pass.kept_frames(kept)
    if before is not None and before <= n_frames < GROWN * before:  # a run that went on keeps its strides, and what was read
        n_frames = before
    system = replace(source.system, n_frames=n_frames)
    accumulators, left_out = {}, {}
    for name, make in observables.items():
        try:
            accumulators[name] = make(system)
        except NotApplicable as reason:
            left_out[name] = str(reason)
    if not accumulators:
        raise ValueError(f"{source.name}: no observable applies ({'; '.join(left_out.values())}); choose others")
    reading = Pass(accumulators, source.first, n_frames)
    reading.resume(kept)
    trajectory = source.open()
    while True:
        with tqdm(total=reading.left(trajectory), unit="frame", desc=source.name, disable=None) as bar:
            reading.run(trajectory, threads, kept, bar.update)
        if follow is None:
            return reading, left_out
        time.sleep(follow)
        trajectory = source.open()
        if not reading.left(trajectory):
            return reading, left_out


def _outcome(condition: Condition, members: Sequence[tuple[Source, Pass, dict[str, str]]]) -> Outcome:
    source, first, left_out = members[0]
    left_out, results = dict(left_out), {}
    each: dict[str, Displacements] = {}
    for name in first.accumulators:
        parts = {member.name: reading.accumulators[name] for member, reading, _ in members if name in reading.accumulators}
        try:
            own = {member: part.result() for member, part in parts.items()}
            results[name] = _joined(list(parts.values())).result() if len(parts) > 1 else next(iter(own.values()))
        except ValueError as too_little:
            left_out[name] = str(too_little)
            continue
        each |= own if name == "msd" else {}
    cost = {name: _cost(first, name, len(source.system.symbols)) for name in results}
    return Outcome(condition, source.system, [member for member, _, _ in members], results, each, left_out, cost)


def _joined(parts: Sequence[Accumulator]) -> Accumulator:
    """Of all together; the parts stay those of single trajectories."""
    joined = copy.deepcopy(parts[0])
    for other in parts[1:]:
        joined.merge(other)
    return joined


def _cost(reading: Pass, name: str, n_atoms: int) -> float:
    entries = reading.done[reading.accumulators[name].reads]
    return 1e9 * reading.seconds.get(name, 0.0) / max(entries * n_atoms, 1)
