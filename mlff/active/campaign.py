"""The loop: train, explore, judge, select, label, until what is explored is known.

The driver looks at what is on disk and does what is missing: killing it at any moment loses at most the last chunk of a step.
Each round has a folder: training/ (with its model/), exploration/, judged.json, selected.extxyz, labelled.extxyz, round.json.
"""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.active.convergence import Convergence, advice
from mlff.active.criterion import Criterion
from mlff.active.errors import force_errors
from mlff.active.explore import Exploration, Explorer
from mlff.active.frames import TEST, TRAIN, divided, part, parts, read_frames, write_frames
from mlff.active.judge import Judged, counts_by_condition, judge
from mlff.active.judged_file import write_judged
from mlff.active.label import Labelled
from mlff.active.quarantine import alarm
from mlff.active.rank import RankBy
from mlff.active.record import Record
from mlff.active.select import Pick, Selection
from mlff.active.surrogate import Surrogate
from mlff.active.watch import Watch
from mlff.uncertainty import FrameClass, Levels

ROUNDS, MODEL, DATA, FINAL = "rounds", "training/model", "data.extxyz", "model"
SELECTED, LABELLED, JUDGED, RECORD = "selected.extxyz", "labelled.extxyz", "judged.json", "round.json"
AUDIT = "audit"

Label = Callable[[Sequence[Atoms]], Labelled]
Train = Callable[[Path, Path, Path | None], None]


@dataclass(frozen=True)
class Campaign:
    """All that decides what is done.

    folder: of everything that is kept. schedule: stages, taken in order, each until it has converged.
    initial: labelled frames with their `split`, the data that the first model learns.
    label: labels frames, or quarantines them; what was labelled before is not labelled again. core_hours: of all labels so far.
    train: trains on a file of labelled frames (with `split`) into a folder, from a model or anew; returns when folder/model is there, at
        once where it was before.
    audit: frames of each round, drawn at random from all that were explored and did not fail, that are labelled to measure the true error;
        they are never learnt from, so that the error is of frames nobody chose.
    val_every: of the frames to learn from every so manieth validates.
    """

    folder: Path
    schedule: Sequence[Exploration]
    explorer: Explorer
    criterion: Criterion
    selection: Selection
    rank_by: RankBy
    convergence: Convergence
    initial: Sequence[Atoms]
    label: Label
    core_hours: Callable[[], float]
    train: Train
    watch: Watch
    audit: int = 8
    val_every: int = 8
    seed: int = 0
    _seconds: dict[str, float] = field(default_factory=dict)

    def run(self) -> list[Record]:
        """To convergence, or to the last round allowed; the records of all rounds."""
        records: list[Record] = []
        for stage in self.schedule:
            of_stage: list[Record] = []
            while not self.convergence.reached(of_stage):
                if stage.most_rounds is not None and len(of_stage) >= stage.most_rounds:
                    self.watch.tells(f"stage {stage.name} ends after {len(of_stage)} rounds: {advice(of_stage, self.convergence.ratio)}")
                    break
                if len(records) >= self.convergence.most_rounds:
                    self.watch.tells(f"not converged after {len(records)} rounds: {advice(of_stage or records, self.convergence.ratio)}")
                    return records
                of_stage.append(self._round(len(records), stage, records))
                records.append(of_stage[-1])
                self.watch.finished(records)
        self._keep_model(records[-1])
        return records

    def _round(self, number: int, stage: Exploration, earlier: Sequence[Record]) -> Record:
        place = self.place(number)
        if (place / RECORD).exists():
            return Record.read(place / RECORD)
        self.watch.begins(number, stage.name)
        self._seconds.clear()
        place.mkdir(parents=True, exist_ok=True)
        data = self._data(number)
        model = self._model(number, data, earlier)
        surrogate = Surrogate(self.folder / model)
        levels = self.criterion.levels(self._history(surrogate, data))
        judged, levels = self._explored(number, stage, surrogate, levels)
        selected, refused = self._selected(place, number, judged, surrogate, data)
        hours = self.core_hours()
        with self._step("label", f"labelling {len(selected)} frames"):
            labelled = self.label(selected)
        kept = [frame for frame in labelled.frames if frame is not None]
        learnt = divided([frame for frame in kept if frame.info["reason"] != AUDIT], self.val_every, parts(data))
        audit = [frame for frame in kept if frame.info["reason"] == AUDIT]
        for frame in audit:
            frame.info["split"] = TEST
        write_frames(place / LABELLED, learnt + audit)
        test = part(data, TEST) + audit
        record = Record(
            number=number,
            stage=stage.name,
            model=str(model),
            trained=model.parts[1] == place.name,
            low=levels.low,
            high=levels.high,
            counts=counts_by_condition(judged),
            refused=refused,
            selected=dict(Counter(frame.info["reason"] for frame in selected if frame.info["reason"] != AUDIT)),
            n_audit=sum(frame.info["reason"] == AUDIT for frame in selected),
            labelled=len(kept),
            quarantined=list(labelled.reasons.values()),
            before=self._errors(surrogate, learnt),
            audit=self._errors(surrogate, audit),
            test=self._errors(surrogate, test),
            data=parts([*data, *learnt, *audit]),
            core_hours=self.core_hours() - hours,
            seconds=dict(self._seconds),
            alarm=alarm([frame.info["deviation"] for frame in selected], [frame is None for frame in labelled.frames]),
        )
        if not self.convergence.passes(record) and not learnt:
            raise ValueError(
                f"round {number} found nothing to learn from, though {advice([record], self.convergence.ratio)}; "
                f"{len(labelled.reasons)} frames are in quarantine, and unsound were {refused or 'none'}"
            )
        record.write(place / RECORD)
        return record

    def place(self, number: int) -> Path:
        """The folder of a round."""
        return self.folder / ROUNDS / f"{number:03d}"

    def _data(self, number: int) -> list[Atoms]:
        """All labelled frames before a round."""
        return [*self.initial, *(frame for k in range(number) for frame in read_frames(self.place(k) / LABELLED))]

    def _model(self, number: int, data: Sequence[Atoms], earlier: Sequence[Record]) -> Path:
        """Of this round, relative to the campaign: a new one where something was learnt since the last one failed to pass.

        A model that has passed a round is tried again on new seeds, as it is; what the round had to teach is learnt with what comes next.
        """
        place = self.place(number)
        if earlier and self.convergence.passes(earlier[-1]):
            return Path(earlier[-1].model)
        if not (place / MODEL / "card.json").exists():
            write_frames(place / DATA, data)
        with self._step("train", f"training on {parts(data)[TRAIN]} frames"):
            self.train(place / DATA, place / "training", self.folder / earlier[-1].model if earlier else None)
        return (place / MODEL).relative_to(self.folder)

    def _history(self, surrogate: Surrogate, data: Sequence[Atoms]) -> list[float]:
        """The largest deviation of each frame that was learnt, now that it is."""
        return [deviation.max_force for deviation in surrogate.deviations(part(data, TRAIN)[-50:])]

    def _explored(self, number: int, stage: Exploration, surrogate: Surrogate, levels: Levels) -> tuple[list[Judged], Levels]:
        place = self.place(number)
        with self._step("explore", f"exploring {stage.name}"):
            trajectories = self.explorer.explore(
                stage, surrogate.committee, self.criterion.stop(levels), number, self.seed, place / "exploration", self.watch
            )
        with self._step("judge", "judging the frames"):
            deviations = [surrogate.deviations(one.frames) for one in trajectories]
            values = [self.criterion.uncertainty(one.frames, own, surrogate) for one, own in zip(trajectories, deviations, strict=True)]
            levels = self.criterion.adapted(levels, np.concatenate(values))
            largest = [np.array([deviation.max_force for deviation in own]) for own in deviations]
            judged = [judge(*each, levels) for each in zip(trajectories, values, largest, strict=True)]
        write_judged(place / JUDGED, judged, levels, self.criterion.unit)
        return judged, levels

    def _selected(
        self, place: Path, number: int, judged: Sequence[Judged], surrogate: Surrogate, data: Sequence[Atoms]
    ) -> tuple[list[Atoms], dict[str, int]]:
        """What is to be labelled, as it was written if it was."""
        rng = np.random.default_rng([self.seed, number])
        pool, refused = self.selection.pool(judged, rng)
        if not (place / SELECTED).exists():
            with self._step("select", f"choosing from {len(pool)} candidates"):
                ranking = self.rank_by(pool, surrogate, part(data, TRAIN), rng)
                chosen = [_frame(pick, pick.reason) for pick in self.selection.choose(pool, ranking)]
                write_frames(place / SELECTED, chosen + self._audit(judged, chosen, rng))
        return read_frames(place / SELECTED), refused

    def _audit(self, judged: Sequence[Judged], chosen: Sequence[Atoms], rng: np.random.Generator) -> list[Atoms]:
        """Frames nobody chose, each as likely as any other."""
        known = {(frame.info["trajectory"], frame.info["step"]) for frame in chosen}
        every = []
        for number, one in enumerate(judged):
            for k in np.flatnonzero(one.classes != FrameClass.FAILED).tolist():
                atoms = one.trajectory.frames[k]
                if (atoms.info["trajectory"], atoms.info["step"]) not in known and self.selection.soundness.fault(atoms) is None:
                    values = float(one.values[k]), float(one.deviation[k]), float(one.trajectory.times[k])
                    every.append(Pick(number, k, one.trajectory.condition, atoms, *values, AUDIT))
        drawn = rng.choice(len(every), min(self.audit, len(every)), replace=False) if every else []
        return [_frame(every[k], AUDIT) for k in drawn]

    def _errors(self, surrogate: Surrogate, frames: Sequence[Atoms]) -> dict[str, dict[str, float]]:
        return force_errors(frames, surrogate.forces(frames)) if frames else {}

    def _keep_model(self, record: Record) -> None:
        """The last model under a name of its own."""
        final = self.folder / FINAL
        if not final.exists():
            unfinished = self.folder / f".{FINAL}"
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(self.folder / record.model, unfinished)
            unfinished.rename(final)

    @contextmanager
    def _step(self, name: str, words: str) -> Iterator[None]:
        self.watch.step(words)
        began = time.monotonic()
        yield
        self._seconds[name] = self._seconds.get(name, 0.0) + time.monotonic() - began


def _frame(pick: Pick, reason: str) -> Atoms:
    """With what is to be known of its choice."""
    frame = pick.atoms.copy()
    frame.info |= {"reason": reason, "uncertainty": pick.value, "deviation": pick.deviation}
    return frame
