"""All that decides what a run does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from mlff.engine import Committee
from mlff.md.batch import Settings
from mlff.md.dynamics import Ensemble
from mlff.md.forces import MEAN
from mlff.md.guards import Bounds
from mlff.md.protocol import Protocol, Stage
from mlff.md.recorder import Intervals
from mlff.md.relax import Relax
from mlff.md.replica import Replica
from mlff.model.potential import Potential

REFERENCES = ("current", "averaged")


@dataclass(frozen=True)
class Plan:
    """A run.

    ensemble: of stages that name none; others: by the names that stages give.
    reference: what a constrained anion is held to: "current", as it lies when the constraint begins, or "averaged", its mean over the
        free stage before.
    about: words on the run that each trajectory keeps.
    """

    potential: Potential | Committee
    replicas: Sequence[Replica]
    protocol: Protocol
    ensemble: Ensemble
    settings: Settings
    others: Mapping[str, Ensemble] = field(default_factory=dict)
    intervals: Intervals = field(default_factory=Intervals)
    bounds: Bounds = field(default_factory=Bounds)
    reference: str = "current"
    about: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self):
        stages, n_members = self.protocol.stages, len(self.potential) if isinstance(self.potential, Committee) else 1
        if missing := sorted({stage.ensemble for stage in stages if stage.ensemble} - self.others.keys()):
            raise ValueError(f"stages name the ensembles {missing}, expected some of {sorted(self.others)}")
        if unknown := sorted({replica.driver for replica in self.replicas} - {MEAN, *range(n_members)}):
            raise ValueError(f"found members {unknown} as drivers, expected 0 … {n_members - 1}; the model has no others")
        if self.bounds.deviation is not None and n_members == 1:
            raise ValueError(f"guards.deviation is {self.bounds.deviation} eV/Å, but the model has one member only; leave it at null")
        for replica in self.replicas:
            if strange := sorted(set(replica.atoms.symbols) - set(self.potential.species)):
                known = ", ".join(self.potential.species)
                raise ValueError(
                    f"{replica.name} holds {', '.join(strange)}, but the model knows {known}; choose a model that was trained on it"
                )
        if self.reference not in REFERENCES:
            raise ValueError(f"reference is {self.reference!r}, expected one of {', '.join(REFERENCES)}")
        if self.reference == "averaged":
            self._refuse_reference()
        for stage in stages:
            self._refuse_pressure(stage)

    def _refuse_reference(self) -> None:
        stages = self.protocol.stages
        if stages[0].constrained:
            raise ValueError(
                f"reference is 'averaged', but the first stage, {stages[0].name}, is constrained; "
                "put one with constrained: false before it, to average over"
            )
        for before, stage in pairwise(stages):
            n_steps = before.n_steps(self.settings.timestep)
            if stage.constrained and not before.constrained and n_steps < self.intervals.frames:
                raise ValueError(
                    f"reference is 'averaged', but stage {before.name} takes {n_steps} steps, expected {self.intervals.frames} at least, "
                    "the interval of frames, which are averaged over; lengthen it or shorten the interval"
                )

    def _refuse_pressure(self, stage: Stage) -> None:
        if not self.ensemble_of(stage).varies_cell:
            return
        for replica in self.replicas:
            if stage.constrained and replica.mode != "UC":
                raise ValueError(
                    f"{replica.name}: mode {replica.mode} in stage {stage.name}, whose cell varies: the constraint's share of the virial "
                    "is not derived, so that the pressure would be wrong; run at constant volume, or with mode UC"
                )
            if replica.atoms.cell.rank < 3:
                rank = replica.atoms.cell.rank
                raise ValueError(f"{replica.name}: pressure needs a volume, but the cell has rank {rank}; give it three vectors")

    def ensemble_of(self, stage: Stage) -> Ensemble:
        return self.ensemble if stage.ensemble is None else self.others[stage.ensemble]

    def draws(self, number: int) -> bool:
        """Whether stage `number` begins with velocities of its own: the first, and after a descent, which leaves none."""
        return number == 0 or isinstance(self.ensemble_of(self.protocol.stages[number - 1]), Relax)
