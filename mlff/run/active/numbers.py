"""A campaign's rounds and chosen frames for programs: rounds.csv and selected.csv."""

import csv
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from mlff.active.frames import PARTS
from mlff.active.record import Record
from mlff.report.active_content import Chosen
from mlff.run.active.rounds import ERRORS

STEPS = ("train", "explore", "judge", "select", "label")


def write_numbers(folder: Path, records: Sequence[Record], chosen: Sequence[Chosen]) -> None:
    """One row per round, one per frame that was sent to the reference code. Errors are RMSE, eV/Å."""
    elements = sorted({name for record in records for field in ERRORS.values() for name in getattr(record, field)})
    head = ["round", "stage", "model", "trained", "low", "high", "accurate", "candidate", "failed", "unsound", "chosen", "audit"]
    head += ["labelled", "quarantined", "core_hours", *(f"n_{part}" for part in PARTS), *(f"{step}_s" for step in STEPS)]
    head += [f"{kind}_{element}" for kind in ERRORS for element in elements]
    _write(folder / "rounds.csv", head, [_row(record, elements) for record in records])
    names = [field.name for field in fields(Chosen)]
    _write(folder / "selected.csv", names, [[getattr(frame, name) for name in names] for frame in chosen])


def _row(record: Record, elements: Sequence[str]) -> list:
    total = record.total
    errors = [getattr(record, field).get(element, {}).get("rmse", "") for field in ERRORS.values() for element in elements]
    return [
        *(record.number, record.stage, record.model, record.trained, record.low, record.high),
        *(total.accurate, total.candidate, total.failed, sum(record.refused.values()), record.n_selected, record.n_audit),
        *(record.labelled, len(record.quarantined), record.core_hours),
        *(record.data[part] for part in PARTS),
        *(record.seconds.get(step, "") for step in STEPS),
        *errors,
    ]


def _write(path: Path, head: Sequence[str], rows: Sequence[Sequence]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])
