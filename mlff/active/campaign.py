"""The loop: train, explore, judge, select, label, until what is explored is known.

The driver looks at what is on disk and does what is missing: killing it at any moment loses at most the last chunk of a step.
Each round has a folder: training/ (with its model/), exploration/, judged.json, selected.extxyz, labelled.extxyz, round.json.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.active.convergence import Convergence, advice
from mlff.active.criterion import Criterion
from mlff.active.cut_picks import cut_picks
from mlff.active.errors import force_errors
from mlff.active.executors import Workers
from mlff.active.explore import Exploration, Explorer, explore_elsewhere
from mlff.active.final import FINAL, keep, learn_the_rest
from mlff.active.frames import TEST, TRAIN, divided, part, parts, read_frames, write_frames
from mlff.active.judge import Judged, counts_by_condition, judge
from mlff.active.judged_file import write_judged
from mlff.active.label import Labelled
from mlff.active.quarantine import alarm
from mlff.active.rank import RankBy
from mlff.active.record import Record
from mlff.active.select import Pick, Selection, pick
from mlff.active.stability import Confirm
from mlff.active.surrogate import Surrogate
from mlff.active.watch import Watch
from mlff.data.parts import plural
from mlff.structure import structure
from mlff.uncertainty import FrameClass, Levels

ROUNDS, MODEL, DATA = "rounds", "training/model", "data.extxyz"
SELECTED, LABELLED, JUDGED, RECORD = "selected.extxyz", "labelled.extxyz", "judged.json", "round.json"
UNCUT = "uncut.json"
CONFIRMATION = "confirmation"
AUDIT = "audit"

Label = Callable[[Sequence[Atoms]], Labelled]
Train = Callable[[Path, Path, Path | None], None]


@dataclass(frozen=True)
class Campaign:
    """All that decides what is done.

    folder: of everything that is kept. schedule: stages, taken in order, each until it has converged.
    initial: labelled frames with their `split`, the data that the first model learns.
    label: labels frames, or quarantines them; what was labelled before is not labelled again. core_hours: of labels, by their
        keys.
    train: trains on a file of labelled frames (with `split`) into a folder, from a model or anew; returns when folder/model is there, at
        once where it was before.
    gpu: where dynamics run; None: in this process.
    confirm: compares what members measure, once the last stage has converged; None: nothing does.
    audit: frames of each round, drawn at random from all that were explored and did not fail (of these at most a quarter), that are
        labelled to measure the true error; they are never learnt from, so that the error is of frames nobody chose.
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
    core_hours: Callable[[Sequence[str]], float]
    train: Train
    watch: Watch
    gpu: Workers | None = None
    confirm: Confirm | None = None
    audit: int = 8
    val_every: int = 8
    seed: int = 0
    _seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self):
        names = [stage.name for stage in self.schedule]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"the stages of the schedule are {names}, expected one at least and each name once")

    def run(self) -> list[Record]:
        """To convergence, or to the last round allowed; the records of all rounds.

        Rounds count for the stage that they were made for, whatever the schedule and the convergence have become since.
        """
        records = self._records()
        if records:
            self.watch.finished(records)
        for stage in self.schedule:
            of_stage = [record for record in records if record.stage == stage.name]
            while not self.convergence.reached(of_stage):
                if stage.most_rounds is not None and len(of_stage) >= stage.most_rounds:
                    why = advice(of_stage, self.convergence.ratio)
                    self.watch.tells(f"stage {stage.name} ends after {plural(len(of_stage), 'round')}: {why}")
                    break
                if len(records) >= self.convergence.most_rounds:
                    why = advice(of_stage or records, self.convergence.ratio)
                    self.watch.tells(f"not converged after {plural(len(records), 'round')}: {why}")
                    self._finish(records)
                    return records
                of_stage.append(self._round(len(records), stage, records))
                records.append(of_stage[-1])
                self.watch.finished(records)
        self._finish(records)
        if self.confirm is not None and self.convergence.reached(of_stage):
            self.watch.step("comparing what each member measures")
            self.watch.tells(self.confirm(self.folder / FINAL, self.folder / CONFIRMATION, self.watch).reason)
        return records

    def _round(self, number: int, stage: Exploration, earlier: Sequence[Record]) -> Record:
        place = self.place(number)
        self.watch.begins(number, stage.name)
        self._seconds.clear()
        place.mkdir(parents=True, exist_ok=True)
        data = self._data(number)
        model = self._model(number, data, earlier)
        surrogate = Surrogate(self.folder / model)
        if number == 0:
            self._refuse_unknown(surrogate.committee.species)
        levels = self.criterion.levels(self._history(surrogate, data))
        judged, ranked = self._explored(number, stage, surrogate, levels)
        selected, refused = self._selected(place, number, judged, ranked, surrogate, data)
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
            unit=self.criterion.unit,
            stop=self.criterion.stop(levels),
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
            core_hours=self.core_hours(labelled.keys),
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

    def _refuse_unknown(self, species: Sequence[str]) -> None:
        """A stage that cannot begin is to be known before those that come first have run."""
        for stage in self.schedule:
            for source in stage.structures:
                if strange := sorted(set(structure(source, seed=self.seed).symbols) - set(species)):
                    raise ValueError(
                        f"stage {stage.name}: {source} holds {', '.join(strange)}, but the model knows {', '.join(species)}; add labelled "
                        "frames with the others to the initial ones, in a campaign of another name, or leave the structure out"
                    )

    def place(self, number: int) -> Path:
        """The folder of a round."""
        return self.folder / ROUNDS / f"{number:03d}"

    def _records(self) -> list[Record]:
        """Of all rounds that were finished."""
        found: list[Record] = []
        while (path := self.place(len(found)) / RECORD).exists():
            found.append(Record.read(path))
        return found

    def _data(self, number: int) -> list[Atoms]:
        """All labelled frames before a round."""
        return [*self.initial, *self._of_rounds(number)]

    def _of_rounds(self, number: int) -> list[Atoms]:
        """Labelled frames of the first rounds."""
        return [frame for k in range(number) for frame in read_frames(self.place(k) / LABELLED)]

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
        """The largest deviation of each frame that rounds chose and that was learnt, now that it is."""
        return [deviation.max_force for deviation in surrogate.deviations(part(data[len(self.initial) :], TRAIN)[-50:])]

    def _explored(self, number: int, stage: Exploration, surrogate: Surrogate, levels: Levels) -> tuple[list[Judged], list[Judged]]:
        """By the levels, which tell what has converged; and by adapted ones, which tell what is worth a label in this round."""
        place = self.place(number)
        stop, folder = self.criterion.stop(levels), place / "exploration"
        with self._step("explore", f"exploring {stage.name}"):
            if self.gpu is not None:
                task = explore_elsewhere, self.explorer, stage, str(surrogate.path), stop, number, self.seed, str(folder)
                self.gpu.submit(*task).result()
            trajectories = self.explorer.explore(stage, surrogate.committee, stop, number, self.seed, folder, self.watch)
        with self._step("judge", "judging the frames"):
            deviations = [surrogate.deviations(one.frames) for one in trajectories]
            values = [self.criterion.uncertainty(one.frames, own, surrogate) for one, own in zip(trajectories, deviations, strict=True)]
            largest = [np.array([deviation.max_force for deviation in own]) for own in deviations]
            adapted = self.criterion.adapted(levels, np.concatenate(values))
            judged, ranked = ([judge(*each, own) for each in zip(trajectories, values, largest, strict=True)] for own in (levels, adapted))
        write_judged(place / JUDGED, judged, levels, self.criterion.unit)
        return judged, ranked

    def _selected(
        self, place: Path, number: int, judged: Sequence[Judged], ranked: Sequence[Judged], surrogate: Surrogate, data: Sequence[Atoms]
    ) -> tuple[list[Atoms], dict[str, int]]:
        """What is to be labelled, as it was written if it was.

        The audit is drawn before anything is chosen, from all that is there, and what is learnt keeps as far from it in time as from each
        other: else its errors would be those of the easier frames, and later those of neighbours of training frames.
        """
        rng = np.random.default_rng([self.seed, number])
        pool, refused = self.selection.pool(ranked, rng)
        if not (place / SELECTED).exists():
            with self._step("select", f"choosing from {len(pool)} candidates"):
                audit = self._audit(judged, rng)
                pool, uncut = self._cut(pool, surrogate)
                (place / UNCUT).write_text(json.dumps(uncut))
                apart = [one for one in pool if self.selection.apart(one, audit)]
                if pool and not apart:  # to learn comes first
                    apart, audit = pool, []
                chosen = self.selection.choose(apart, self.rank_by(apart, surrogate, part(data, TRAIN), rng))
                write_frames(place / SELECTED, [_frame(one) for one in [*chosen, *audit]])
        uncut = json.loads((place / UNCUT).read_text()) if (place / UNCUT).exists() else {}
        return read_frames(place / SELECTED), dict(Counter(refused) + Counter(uncut))

    def _cut(self, pool: Sequence[Pick], surrogate: Surrogate) -> tuple[list[Pick], dict[str, int]]:
        """Local cells around the atoms that the members disagree most about, where frames are too large."""

        def most_uncertain(frames: Sequence[Atoms]) -> list[int]:
            return [int(deviation.force.argmax()) for deviation in surrogate.deviations(frames)]

        return cut_picks(pool, self.selection.local_cells, self.selection.soundness, most_uncertain)

    def _audit(self, judged: Sequence[Judged], rng: np.random.Generator) -> list[Pick]:
        """Sound frames, each as likely as any other; at most one of four, so that the others can be learnt.

        Of those that are too large, cells around any atom, whose errors hold those of the odd surroundings where they were cut.
        """
        every = [(number, k) for number, one in enumerate(judged) for k in np.flatnonzero(one.classes != FrameClass.FAILED).tolist()]
        drawn = (pick(number, judged[number], k, AUDIT) for number, k in rng.permutation(np.array(every, int).reshape(-1, 2)).tolist())
        sound = (one for one in drawn if self.selection.soundness.fault(one.atoms) is None)
        audit = list(islice(sound, min(self.audit, len(every) // 4)))
        return cut_picks(audit, self.selection.local_cells, self.selection.soundness, partial(_any_atoms, rng))[0]

    def _errors(self, surrogate: Surrogate, frames: Sequence[Atoms]) -> dict[str, dict[str, float]]:
        return force_errors(frames, surrogate.forces(frames)) if frames else {}

    def _finish(self, records: Sequence[Record]) -> None:
        """Keep the result; labels that came after the last training are learnt first."""
        last = Path(records[-1].model)
        data = self._data(len(records))
        known = [*self.initial, *self._of_rounds(int(last.parts[1]))]
        model = self.folder / last
        if len(part(data, TRAIN)) > len(part(known, TRAIN)):
            with self._step("train", "learning the last labels"):
                model, words = learn_the_rest(self.folder, model, data, self.train)
            self.watch.tells(words)
        keep(model, self.folder)

    @contextmanager
    def _step(self, name: str, words: str) -> Iterator[None]:
        self.watch.step(words)
        began = time.monotonic()
        yield
        self._seconds[name] = self._seconds.get(name, 0.0) + time.monotonic() - began


def _any_atoms(rng: np.random.Generator, frames: Sequence[Atoms]) -> list[int]:
    return [int(rng.integers(len(atoms))) for atoms in frames]


def _frame(chosen: Pick) -> Atoms:
    """With what is to be known of its choice."""
    frame = chosen.atoms.copy()
    frame.info |= {"reason": chosen.reason, "uncertainty": chosen.value, "deviation": chosen.deviation}
    return frame
