"""All that the report of an active-learning campaign shows, as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mlff.report.environment import software_versions
from mlff.report.uncertainty import UncertaintyContent

LABELLED = "labelled"  # the status of a label that is there


@dataclass(frozen=True)
class Shares:
    """Frames of one system at one temperature (K) that are accurate, candidates, failed (those not reached too)."""

    system: str
    temperature: float
    accurate: int
    candidate: int
    failed: int

    @property
    def total(self) -> int:
        return self.accurate + self.candidate + self.failed

    @property
    def ratio(self) -> float | None:
        """The accurate share; None where nothing was explored."""
        return self.accurate / self.total if self.total else None


@dataclass(frozen=True)
class Uncertainties:
    """Of the frames that a round judged.

    values: by temperature, K, (n,) each, those that are finite. levels: (low, high). unit: of both, "" for a pure number.
    not_reached: frames planned behind a failed one or a stop. not_finite: frames without a number.
    """

    values: Mapping[float, np.ndarray]
    levels: tuple[float, float]
    unit: str
    not_reached: int = 0
    not_finite: int = 0

    @property
    def planned(self) -> int:
        return sum(map(len, self.values.values())) + self.not_reached + self.not_finite


@dataclass(frozen=True)
class Round:
    """One round.

    number: from 0. shares: by condition. chosen: frames to learn from, by reason; n_audit: drawn at random, to measure errors.
    labelled: of both. quarantined, refused: frames without a label; candidates that were not sound.
    known: labelled frames that the model of this round had learnt or was validated on.
    errors: RMSE of forces, eV/Å, by kind ("chosen", "audit", "test") and element ("all" for all).
    data: frames by part, after the round. core_hours: of its labels. seconds: by step. trained: whether the model is new.
    training: address of its training's report, relative to the page; "" without.
    """

    number: int
    stage: str
    shares: Sequence[Shares]
    uncertainties: Uncertainties
    chosen: Mapping[str, int]
    n_audit: int
    labelled: int
    quarantined: int
    refused: int
    known: int
    errors: Mapping[str, Mapping[str, float]]
    data: Mapping[str, int]
    core_hours: float
    seconds: Mapping[str, float] = field(default_factory=dict)
    trained: bool = True
    training: str = ""

    @property
    def total(self) -> Shares:
        counts = ([getattr(each, name) for each in self.shares] for name in ("accurate", "candidate", "failed"))
        return Shares("all", float("nan"), *map(sum, counts))


@dataclass(frozen=True)
class Chosen:
    """A frame that was sent to the reference code, and why. value: of the criterion; deviation: largest of a force, eV/Å.

    quarantine: why it has no label; "" where it has one.
    """

    round: int
    system: str
    temperature: float
    reason: str
    value: float
    deviation: float
    trajectory: str
    step: int
    quarantine: str = ""


@dataclass(frozen=True)
class LabelCost:
    """One row of the ledger.

    n_atoms: None where an old file does not tell. seconds: wall time of the last attempt; core_hours: of all attempts.
    retries: of the code's own ladder.
    """

    status: str
    formula: str
    n_atoms: int | None
    seconds: float
    core_hours: float
    retries: int
    attempts: int
    code: str


@dataclass(frozen=True)
class Picture:
    """png: the file's content."""

    title: str
    caption: str
    png: bytes


@dataclass(frozen=True)
class ActiveReport:
    """One report.

    summary: one sentence. warnings: what a reader must know first. wanted: the accurate share at which a stage has converged.
    mobile: symbols of the mobile ions. calibration: of the last model, on frames that nobody chose.
    setup: name → text, number, list or mapping; config_text: the resolved configuration, YAML.
    """

    title: str
    summary: str
    rounds: Sequence[Round]
    wanted: float
    warnings: Sequence[str] = ()
    mobile: Sequence[str] = ()
    chosen: Sequence[Chosen] = ()
    labels: Sequence[LabelCost] = ()
    calibration: UncertaintyContent | None = None
    pictures: Sequence[Picture] = ()
    setup: Mapping = field(default_factory=dict)
    config_text: str = ""
    environment: Mapping[str, str] = field(default_factory=software_versions)

    def __post_init__(self):
        if not self.rounds:
            raise ValueError("found no round, expected at least one; write the report once a round is over")

    @property
    def last(self) -> Round:
        return self.rounds[-1]
