"""What is kept of a round: enough for a table, a report, and to decide what comes next."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from mlff.active.explored import Condition
from mlff.active.judge import Counts
from mlff.whole_file import written_whole

Errors = Mapping[str, Mapping[str, float]]  # see `force_errors`


@dataclass(frozen=True)
class Record:
    """One round.

    number: from 0. stage: its name in the schedule. model: that explored, relative to the campaign's folder. trained: whether it is new.
    low, high: levels of the criterion, in its unit. stop: the deviation that ended trajectories, eV/Å; None: any.
    counts: by condition. refused: candidates that were not sound, by fault.
    selected: frames to learn from, by the reason they were chosen for; n_audit: drawn from all that was explored, to measure errors.
    labelled: how many of all these have a label, quarantined: reasons of those that have none.
    before: errors, on the selected frames, of the model that selected them; audit: on this round's audit; test: on all test frames so
        far, those of this round too. eV/Å, by element.
    data: frames by part, after this round. core_hours: of the labels of this round. seconds: by step.
    """

    number: int
    stage: str
    model: str
    trained: bool
    low: float
    high: float
    counts: Mapping[Condition, Counts]
    refused: Mapping[str, int]
    selected: Mapping[str, int]
    n_audit: int
    labelled: int
    quarantined: Sequence[str]
    before: Errors
    audit: Errors
    test: Errors
    data: Mapping[str, int]
    core_hours: float
    seconds: Mapping[str, float] = field(default_factory=dict)
    unit: str = "eV/Å"
    stop: float | None = None
    alarm: str | None = None

    @property
    def total(self) -> Counts:
        return sum(self.counts.values(), Counts())

    @property
    def n_selected(self) -> int:
        return sum(self.selected.values())

    def write(self, path: Path) -> None:
        """JSON, whole or not at all."""
        rows = [{**asdict(condition), **asdict(counts)} for condition, counts in self.counts.items()]
        plain = {entry.name: getattr(self, entry.name) for entry in fields(self)} | {"counts": rows}
        with written_whole(path) as file:
            file.write_text(json.dumps(plain, indent=1))

    @classmethod
    def read(cls, path: Path) -> "Record":
        plain = json.loads(path.read_text())
        counts = {}
        for row in plain["counts"]:
            condition = Condition(**{name: row[name] for name in ("structure", "temperature", "pressure", "mode")})
            counts[condition] = Counts(**{name: row[name] for name in ("accurate", "candidate", "failed")})
        return cls(**plain | {"counts": counts})
