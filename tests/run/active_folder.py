"""A campaign's folder as the loop leaves it, written through its own writers, with frames and numbers that are drawn."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from hydra import compose, initialize_config_dir

from mlff.active.campaign import AUDIT, JUDGED, LABELLED, RECORD, SELECTED
from mlff.active.errors import force_errors
from mlff.active.explored import Condition, Explored
from mlff.active.frames import TEST, divided, write_frames
from mlff.active.judge import Judged, counts_by_condition, judge
from mlff.active.judged_file import write_judged
from mlff.active.ledger import Ledger, write_label
from mlff.active.record import Record
from mlff.uncertainty import Levels
from tests.run.conftest import CONF

LEVELS = Levels(0.11, 0.26)
CONDITIONS = [Condition("gamma", 300.0), Condition("gamma", 600.0), Condition("beta", 600.0, 1.0, "RC")]
N_PLANNED = 20  # frames of each trajectory
N_FIRST = 8  # labelled frames before the first round, none of them test
UNSURE = "the density did not converge in 60 steps\nlast change 3e-4"


def configuration(folder: Path, *overrides: str):
    schedule = "[{name: short, structures: [gamma], temperatures: [300], duration: 1, most_rounds: 2}, "
    schedule += "{name: long, structures: [gamma], temperatures: [300], duration: 4}]"
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("active", ["name=small", f"folder={folder}", f"schedule={schedule}", "mobile=[Li]", *overrides])


@dataclass(frozen=True)
class Drawn:
    """A round to write. size: of the uncertainties, eV/Å, 0.05 for a round that passes. lost: reasons by number of the selected frame."""

    stage: str
    size: float = 0.15
    lost: Mapping[int, str] = ()
    alarm: str | None = None


def write_campaign(folder: Path, rounds: Sequence[Drawn]) -> list[Record]:
    """The records, as they were before they were written."""
    rng, records = np.random.default_rng(1), []
    data = {"train": N_FIRST - 1, "val": 1, "test": 0}
    for number, drawn in enumerate(rounds):
        records.append(_write_round(folder, number, drawn, data, rng))
        data = dict(records[-1].data)
    return records


def _write_round(folder: Path, number: int, drawn: Drawn, data: Mapping[str, int], rng: np.random.Generator) -> Record:
    place = folder / "rounds" / f"{number:03d}"
    (place / "training").mkdir(parents=True)
    (place / "training/report.html").write_text("a report")
    judged = [_judged(condition, number, drawn.size, rng) for condition in CONDITIONS]
    write_judged(place / JUDGED, judged, LEVELS, "eV/Å")
    selected = [_selected(one, k, reason) for one in judged for k, reason in ((0, "candidate"), (1, AUDIT))]
    write_frames(place / SELECTED, selected)
    lost = dict(drawn.lost)
    labelled = [_labelled(frame, rng) for k, frame in enumerate(selected) if k not in lost]
    learnt = divided([frame for frame in labelled if frame.info["reason"] != AUDIT], 8, data)
    audit = [frame for frame in labelled if frame.info["reason"] == AUDIT]
    for frame in audit:
        frame.info["split"] = TEST
    write_frames(place / LABELLED, learnt + audit)
    _write_labels(folder, number, selected, lost)
    counts = Counter(data) + Counter(frame.info["split"] for frame in labelled)
    record = Record(
        number=number,
        stage=drawn.stage,
        model=f"rounds/{number:03d}/training/model",
        trained=True,
        low=LEVELS.low,
        high=LEVELS.high,
        counts=counts_by_condition(judged),
        refused={"a flat cell": 2},
        selected={"candidate": len(CONDITIONS)},
        n_audit=len(CONDITIONS),
        labelled=len(labelled),
        quarantined=list(lost.values()),
        before=_errors(learnt, 0.09, rng),
        audit=_errors(audit, 0.06, rng),
        test=_errors(audit, 0.05, rng),
        data={name: counts[name] for name in data},
        core_hours=0.25 * (number + 1),
        seconds={"train": 90.0, "explore": 30.0, "label": 60.0},
        alarm=drawn.alarm,
    )
    record.write(place / RECORD)
    return record


def _judged(condition: Condition, number: int, size: float, rng: np.random.Generator) -> Judged:
    n = N_PLANNED if size < LEVELS.low else N_PLANNED // 2
    values = size * rng.uniform(0.5, 1.5, n)
    values[:2] = np.minimum(values[:2], 0.9 * LEVELS.high)  # two frames at least can be chosen
    name = f"r{number:03d}_{condition}_s0"
    frames = [_frame(condition, name, step, rng) for step in range(n)]
    return judge(Explored(name, condition, frames, np.arange(n), 2.0, N_PLANNED), values, values, LEVELS)


def _frame(condition: Condition, trajectory: str, step: int, rng: np.random.Generator) -> Atoms:
    atoms = Atoms("Li3PS4", rng.uniform(0, 6, (8, 3)), cell=6 * np.eye(3), pbc=True)
    atoms.info = {"structure": condition.structure, "temperature": condition.temperature, "trajectory": trajectory, "step": step}
    return atoms


def _selected(one: Judged, frame: int, reason: str) -> Atoms:
    atoms = one.trajectory.frames[frame].copy()
    atoms.info |= {"reason": reason, "uncertainty": float(one.values[frame]), "deviation": float(one.deviation[frame])}
    return atoms


def _labelled(frame: Atoms, rng: np.random.Generator) -> Atoms:
    copy = frame.copy()
    copy.info["REF_energy"] = -1.0
    copy.arrays["REF_forces"] = rng.normal(size=(len(copy), 3))
    return copy


def _errors(frames: Sequence[Atoms], size: float, rng: np.random.Generator) -> dict:
    return force_errors(frames, [frame.arrays["REF_forces"] + size * rng.normal(size=(len(frame), 3)) for frame in frames])


def _write_labels(folder: Path, number: int, selected: Sequence[Atoms], lost: Mapping[int, str]) -> None:
    ledger = Ledger(folder / "labels")
    for k, frame in enumerate(selected):
        key = f"label{number}_{k}"
        about = {"status": "unconverged", "reason": lost[k]} if k in lost else {"status": "labelled", "energy": -1.0, "retries": k % 2}
        cost = {"wall_time": 10.0 + 5 * k, "core_seconds": 20.0 + 10 * k, "attempts": 1, "cores": 2}
        label = about | cost | {"code": "CODE", "version": "7", "formula": frame.get_chemical_formula(), "n_atoms": len(frame)}
        write_label(ledger.path(key), label)
        ledger.take_in({key: label})
    ledger.close()
