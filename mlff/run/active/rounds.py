"""The rounds of a campaign as its report shows them, read from what they left on disk."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mlff.active.campaign import JUDGED, LABELLED, RECORD, ROUNDS, SELECTED
from mlff.active.explored import Condition
from mlff.active.frames import TEST
from mlff.active.record import Record
from mlff.report.active_content import Chosen, Round, Shares, Uncertainties
from mlff.run.active.frame_info import frame_infos

ERRORS = {"chosen": "before", "audit": "audit", "test": "test"}  # kind → field of a record


def read_records(folder: Path) -> list[Record]:
    """Of all rounds that are over, in order; folder: the campaign's."""
    return [Record.read(path) for path in sorted((folder / ROUNDS).glob(f"*/{RECORD}"))]


def place_of(folder: Path, record: Record) -> Path:
    """The folder of a round."""
    return folder / ROUNDS / f"{record.number:03d}"


def system_of(condition: Condition) -> str:
    """All of a condition but its temperature, in words."""
    words = [condition.structure, *([condition.mode] if condition.mode != "UC" else [])]
    return " ".join(words) + (f" {condition.pressure:g} GPa" if condition.pressure else "")


def rounds_of(folder: Path, records: Sequence[Record]) -> list[Round]:
    known = _known(folder, records)
    return [_round(folder, record, known[record.model]) for record in records]


def _known(folder: Path, records: Sequence[Record]) -> dict[str, int]:
    """How many labelled frames each model had learnt or was validated on, by the model's place."""
    first = records[0]
    learnt = sum(info["split"] != TEST for info in frame_infos(place_of(folder, first) / LABELLED))
    after = [record.data["train"] + record.data["val"] for record in records]
    before = [after[0] - learnt, *after[:-1]]
    return {record.model: n for record, n in reversed(list(zip(records, before, strict=True)))}  # a model's first round counts


def _round(folder: Path, record: Record, known: int) -> Round:
    training = place_of(folder, record) / "training/report.html"
    return Round(
        number=record.number,
        stage=record.stage,
        shares=[Shares(system_of(c), c.temperature, n.accurate, n.candidate, n.failed) for c, n in record.counts.items()],
        uncertainties=_uncertainties(_judged(folder, record)),
        chosen=record.selected,
        n_audit=record.n_audit,
        labelled=record.labelled,
        quarantined=len(record.quarantined),
        refused=sum(record.refused.values()),
        known=known,
        errors={kind: {name: own["rmse"] for name, own in getattr(record, field).items()} for kind, field in ERRORS.items()},
        data=record.data,
        core_hours=record.core_hours,
        seconds=record.seconds,
        trained=record.trained,
        training=str(training.relative_to(folder)) if record.trained and training.exists() else "",
    )


def _judged(folder: Path, record: Record) -> dict:
    return json.loads((place_of(folder, record) / JUDGED).read_text())


def _uncertainties(judged: Mapping) -> Uncertainties:
    values: dict[float, list[float]] = {}
    for one in judged["trajectories"]:
        values.setdefault(one["temperature"], []).extend(value for value in one["values"] if value is not None)
    return Uncertainties(
        values={temperature: np.array(own) for temperature, own in values.items()},
        levels=(judged["low"], judged["high"]),
        unit=judged["unit"],
        not_reached=sum(one["not_reached"] for one in judged["trajectories"]),
        not_finite=sum(value is None for one in judged["trajectories"] for value in one["values"]),
    )


def chosen_of(folder: Path, records: Sequence[Record]) -> list[Chosen]:
    """Every frame that was sent to the reference code, with what became of it."""
    return [chosen for record in records for chosen in _chosen(folder, record)]


def _chosen(folder: Path, record: Record) -> list[Chosen]:
    infos = frame_infos(place_of(folder, record) / SELECTED)
    lost = {}
    if record.quarantined:
        there = {_name(info) for info in frame_infos(place_of(folder, record) / LABELLED)}
        lost = dict(zip([_name(info) for info in infos if _name(info) not in there], record.quarantined, strict=True))
    fields = ("structure", "temperature", "pressure", "mode")
    conditions = {one["name"]: Condition(*(one[name] for name in fields)) for one in _judged(folder, record)["trajectories"]}
    return [
        Chosen(
            round=record.number,
            system=system_of(conditions[str(info["trajectory"])]),
            temperature=conditions[str(info["trajectory"])].temperature,
            reason=info["reason"],
            value=float(info["uncertainty"]),
            deviation=float(info["deviation"]),
            trajectory=str(info["trajectory"]),
            step=int(info["step"]),
            quarantine=lost.get(_name(info), ""),
        )
        for info in infos
    ]


def _name(info: Mapping) -> tuple[str, int]:
    """Of a frame of a round."""
    return str(info["trajectory"]), int(info["step"])
