"""The loop on a small crystal: real dynamics of a real committee, real labels; trainings are copies of a model made before."""

import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from ase.build import bulk
from ase.io import read

from mlff.active.campaign import Campaign
from mlff.active.convergence import Convergence
from mlff.active.criterion import ForceDeviation, OnTheFly
from mlff.active.explore import Exploration, Explorer
from mlff.active.label import Labelled
from mlff.active.local_cell import LocalCells
from mlff.active.rank import RANKINGS
from mlff.active.record import Record
from mlff.active.select import Selection
from mlff.active.watch import Silent
from mlff.md.batch import Settings
from mlff.md.csvr import CSVR
from mlff.md.guards import Bounds
from tests.active.alloy import divided, frames, labelled, structure_file

LAX, STRICT = ForceDeviation(5.0, 9.0), ForceDeviation(0.004, 5.0)  # eV/Å: all is accurate, nearly all is a candidate


class Bench:
    """What a campaign is given, and what it made of it.

    dies: the words of a step before which the driver dies. refuses: steps of frames that the reference code cannot label.
    """

    def __init__(self, folder: Path, model: Path, structure: str):
        self.folder, self.model, self.structure = folder, model, structure
        self.trained, self.asked, self.steps, self.begun = [], [], Counter(), []
        self.dies, self.refuses, self.finished_with = None, lambda frame: False, []

    def campaign(self, criterion=LAX, schedule=None, selection=None, rank_by="farthest_point", **options) -> Campaign:
        options = {"convergence": Convergence(most_rounds=4), "audit": 3, "val_every": 4} | options
        return Campaign(
            folder=self.folder,
            schedule=schedule or [self.stage()],
            explorer=Explorer(
                {"csvr": CSVR(relaxation_time=50.0)},
                Settings(timestep=2.0),
                record=10.0,
                chunk=50.0,
                bounds=Bounds(temperature=np.inf, bond=None),
            ),
            criterion=criterion,
            selection=selection or Selection(n=6, separation=30.0),
            rank_by=RANKINGS[rank_by],
            initial=divided(frames(16)),
            label=self.label,
            core_hours=lambda keys: 0.5 * len(keys),
            train=self.train,
            watch=Watch(self),
            seed=3,
            **options,
        )

    def stage(self, name: str = "cells", **options) -> Exploration:
        plain = {"structures": [self.structure], "temperatures": [300.0, 900.0], "duration": 0.15}
        return Exploration(name, **plain | options)

    def label(self, frames) -> Labelled:
        self.asked.append([(frame.info["trajectory"], frame.info["step"]) for frame in frames])
        made = [None if self.refuses(frame) else labelled(frame) for frame in frames]
        reasons = {k: "it did not converge" for k, frame in enumerate(made) if frame is None}
        return Labelled(made, reasons, [f"{frame.info['trajectory']}-{frame.info['step']}" for frame in frames], len(made))

    def train(self, data: Path, folder: Path, start: Path | None) -> None:
        if not (folder / "model").exists():
            self.trained.append((data, start))
            shutil.copytree(self.model, folder / "model")

    def place(self, number: int) -> Path:
        return self.folder / "rounds" / f"{number:03d}"

    def read(self, number: int, name: str) -> list:
        return read(self.place(number) / name, index=":")


class Watch(Silent):
    def __init__(self, bench: Bench):
        super().__init__()
        self.bench = bench

    def begins(self, number, stage):
        self.bench.begun.append((number, stage))

    def step(self, words):
        if self.bench.dies and words.startswith(self.bench.dies):
            raise KeyboardInterrupt
        self.bench.steps[words.split()[0]] += 1

    def finished(self, records):
        self.bench.finished_with.append(len(records))

    def shows(self, step, n_replicas, rows):
        self.bench.steps["dynamics"] += 1


@pytest.fixture
def bench(tmp_path, model):
    return Bench(tmp_path / "campaign", model, structure_file(tmp_path))


def test_a_campaign_that_knows_everything_converges_on_new_seeds_with_one_model(bench):
    records = bench.campaign().run()
    assert [(record.number, record.stage, record.trained, record.total.ratio) for record in records] == [
        (0, "cells", True, 1.0),
        (1, "cells", False, 1.0),
    ]
    assert len(bench.trained) == 1
    assert records[0].model == records[1].model == "rounds/000/training/model"
    assert records[0].total.total == 2 * 15
    starts = [sorted(place.name for place in (bench.place(k) / "exploration" / "replicas").iterdir()) for k in (0, 1)]
    assert starts == [[f"r00{k}_cu3au_300K_s0", f"r00{k}_cu3au_900K_s0"] for k in (0, 1)]
    assert (bench.folder / "model" / "card.json").exists()
    assert records == [Record.read(bench.place(k) / "round.json") for k in (0, 1)]


def test_a_campaign_learns_what_it_chose_and_ends_with_advice(bench):
    campaign = bench.campaign(STRICT, convergence=Convergence(most_rounds=2))
    first, second = campaign.run()
    models = [bench.place(k) / "training" / "model" for k in (0, 1)]
    assert [start for _, start in bench.trained] == [None, *models]  # the last training learns what the last round labelled
    assert first.data == {"train": 12 + 4, "val": 2 + 2, "test": 2 + 3}  # of six chosen, the 16th and 20th validate
    assert (first.n_selected, first.n_audit, first.labelled) == (6, 3, 9)
    assert first.core_hours == 0.5 * 9
    learnt = read(bench.trained[1][0], index=":")
    assert Counter(frame.info["split"] for frame in learnt) == first.data
    assert second.number == 1
    last = read(bench.trained[2][0], index=":")
    assert Counter(frame.info["split"] for frame in last) == second.data
    assert (bench.folder / "model" / "card.json").exists()
    assert any(message.startswith("learning the last labels too") for message in campaign.watch.told)
    assert any(message.startswith("not converged after 2 rounds: ") and "accurate in round 1" in message for message in campaign.watch.told)


def test_the_audit_is_never_learnt_and_nothing_learnt_is_near_it(bench):
    records = bench.campaign(STRICT, convergence=Convergence(most_rounds=2)).run()
    written = bench.read(0, "labelled.extxyz")
    audit = [frame for frame in written if frame.info["reason"] == "audit"]
    others = [frame for frame in written if frame.info["reason"] != "audit"]
    assert len(audit) == 3
    assert {frame.info["split"] for frame in audit} == {"test"}
    assert {frame.info["split"] for frame in others} == {"train", "val"}
    for one in audit:
        for other in others:
            assert one.info["trajectory"] != other.info["trajectory"] or 2.0 * abs(one.info["step"] - other.info["step"]) >= 30.0
    n = 3 * sum(len(frame) for frame in audit)
    assert records[0].audit["all"]["n"] == n
    assert records[0].test["all"]["n"] == n + 2 * 8 * 3
    assert records[1].test["all"]["n"] == 2 * n + 2 * 8 * 3


def test_an_audit_is_drawn_from_candidates_and_accurate_frames_alike(bench):
    """Of frames that are nearly all candidates, of which the most uncertain half is chosen."""
    selection = Selection(n=15, separation=0.0, quota=1.0)
    bench.campaign(STRICT, selection=selection, rank_by="uncertain", audit=7, convergence=Convergence(most_rounds=1)).run()
    chosen = bench.read(0, "selected.extxyz")
    least = min(frame.info["deviation"] for frame in chosen if frame.info["reason"] == "candidate")
    assert any(frame.info["deviation"] > least for frame in chosen if frame.info["reason"] == "audit")


def test_an_audit_leaves_something_to_learn(bench):
    """Two frames were explored in all."""
    stage = bench.stage(temperatures=[900.0], duration=0.02)
    (record,) = bench.campaign(STRICT, [stage], audit=8, convergence=Convergence(most_rounds=1)).run()
    assert record.total.total == 2
    assert record.n_selected >= 1


def test_the_next_stage_begins_where_one_has_converged_or_may_go_on_no_longer(bench):
    schedule = [bench.stage("short", duration=0.05, most_rounds=1), bench.stage("long")]
    campaign = bench.campaign(STRICT, schedule, convergence=Convergence(most_rounds=2))
    records = campaign.run()
    assert [record.stage for record in records] == ["short", "long"]
    assert records[1].trained
    assert campaign.watch.told[0].startswith("stage short ends after 1 round: ")
    other = Bench(bench.folder.parent / "other", bench.model, bench.structure)
    assert [record.stage for record in other.campaign(LAX, schedule).run()] == ["short", "long", "long"]


STEPS = ["training", "exploring", "judging", "choosing", "labelling"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, model):
    """A campaign that nothing interrupted, of two rounds."""
    folder = tmp_path_factory.mktemp("whole")
    bench = Bench(folder / "campaign", model, structure_file(folder))
    return bench, bench.campaign(STRICT, convergence=Convergence(most_rounds=2)).run()


@pytest.mark.slow
@pytest.mark.parametrize("dies", STEPS)
def test_a_campaign_killed_before_any_step_goes_on_as_if_nothing_had_been(bench, whole, dies):
    uninterrupted, records = whole
    bench.dies = dies
    with pytest.raises(KeyboardInterrupt):
        bench.campaign(STRICT, convergence=Convergence(most_rounds=2)).run()
    bench.dies = None
    again = bench.campaign(STRICT, convergence=Convergence(most_rounds=2)).run()
    assert [timeless(record) for record in again] == [timeless(record) for record in records]
    for number in (0, 1):
        for name in ("selected.extxyz", "labelled.extxyz", "judged.json", "training/model/card.json"):
            assert (bench.place(number) / name).read_bytes() == (uninterrupted.place(number) / name).read_bytes()
    assert len(bench.trained) == 3  # of two rounds, and of the last labels
    assert bench.steps["dynamics"] == uninterrupted.steps["dynamics"]


def timeless(record: Record) -> dict:
    return {name: value for name, value in vars(record).items() if name != "seconds"}


def test_a_finished_campaign_is_only_read(bench):
    records = bench.campaign().run()
    before = (dict(bench.steps), len(bench.trained), list(bench.asked))
    assert bench.campaign().run() == records
    assert (dict(bench.steps), len(bench.trained), list(bench.asked)) == before
    assert bench.finished_with == [1, 2, 2]


def test_rounds_belong_to_the_stage_they_were_made_for(bench):
    """A stage is given more rounds, once the next one has had some."""
    short, long = bench.stage("short", duration=0.05, most_rounds=1), bench.stage("long", duration=0.05)
    bench.campaign(STRICT, [short, long], convergence=Convergence(most_rounds=2)).run()
    more = bench.stage("short", duration=0.05, most_rounds=2)
    records = bench.campaign(STRICT, [more, long], convergence=Convergence(most_rounds=3)).run()
    assert [record.stage for record in records] == ["short", "long", "short"]


def test_a_longer_schedule_replaces_the_model_that_was_kept(bench):
    bench.campaign(LAX, [bench.stage("short", duration=0.05)]).run()
    marked = bench.folder.parent / "marked"
    shutil.copytree(bench.model, marked)
    (marked / "mark").write_text("second")
    bench.model = marked
    schedule = [bench.stage("short", duration=0.05), bench.stage("long", duration=0.05, most_rounds=2)]
    records = bench.campaign(STRICT, schedule).run()
    assert [record.stage for record in records] == ["short", "short", "long", "long"]
    assert records[-1].trained
    assert (bench.folder / "model" / "mark").read_text() == "second"


def test_an_adaptive_level_chooses_but_does_not_converge(bench):
    """Nearly all frames lie above the lower level, but the adapted one leaves a tenth of them candidates."""
    criterion = ForceDeviation(0.004, 5.0, adaptive=0.1)
    (record,) = bench.campaign(criterion, convergence=Convergence(ratio=0.85, n_rounds=1, most_rounds=1)).run()
    assert record.total.ratio < 0.5
    assert record.low == 0.004
    chosen = [frame for frame in bench.read(0, "selected.extxyz") if frame.info["reason"] != "audit"]
    assert 1 <= len(chosen) <= 3
    assert min(frame.info["uncertainty"] for frame in chosen) > 0.004


def test_frames_in_quarantine_are_told_and_the_others_are_learnt(bench):
    bench.refuses = lambda frame: frame.info["temperature"] == 900.0
    (record,) = bench.campaign(STRICT, convergence=Convergence(most_rounds=1)).run()
    n_hot = sum(frame.info["temperature"] == 900.0 for frame in bench.read(0, "selected.extxyz"))
    assert n_hot
    assert record.quarantined == ["it did not converge"] * n_hot
    assert record.labelled == record.n_selected + record.n_audit - n_hot
    assert {frame.info["temperature"] for frame in bench.read(0, "labelled.extxyz")} == {300.0}


def test_quarantine_of_the_uncertain_ones_raises_an_alarm(bench):
    bench.refuses = lambda frame: frame.info["temperature"] == 900.0  # whose deviations are the larger ones
    selection = Selection(n=20, separation=0.0)
    (record,) = bench.campaign(STRICT, selection=selection, convergence=Convergence(most_rounds=1)).run()
    assert "quarantine holds" in record.alarm


def test_a_campaign_whose_labels_all_fail_says_so(bench):
    bench.refuses = lambda frame: True
    with pytest.raises(ValueError, match=r"round 0 found nothing to learn from, though .* 9 frames are in quarantine"):
        bench.campaign(STRICT).run()
    bench.refuses = lambda frame: False  # once the reference code is mended
    assert len(bench.campaign(STRICT, convergence=Convergence(most_rounds=1)).run()) == 1


@pytest.mark.parametrize("rank_by", sorted(RANKINGS))
def test_trajectories_that_all_stop_at_their_first_step_leave_nothing_to_learn(bench, rank_by):
    """The only frame of each has failed: the pool is empty, and so is the audit."""
    with pytest.raises(ValueError, match=r"found nothing to learn from, though 0\.0% of the frames were accurate.*begin with shorter runs"):
        bench.campaign(ForceDeviation(1e-7, 1e-6), rank_by=rank_by).run()
    assert bench.asked == [[]]


@pytest.mark.parametrize("rank_by", sorted(RANKINGS))
def test_any_ranking_chooses_as_many_as_asked_for(bench, rank_by):
    selection = Selection(n=6, separation=0.0)
    (record,) = bench.campaign(STRICT, selection=selection, rank_by=rank_by, convergence=Convergence(most_rounds=1)).run()
    assert record.n_selected == 6


def test_a_threshold_on_the_fly_begins_with_the_first_one_and_labels_what_crosses_it(bench):
    """What the initial frames keep of deviation is no answer of the oracle to the loop's questions."""
    criterion = OnTheFly(first=0.012, least=0.001)
    stage = bench.stage(temperatures=[1500.0])
    (record,) = bench.campaign(criterion, [stage], convergence=Convergence(most_rounds=1)).run()
    assert (record.low, record.high) == (0.012, 0.048)
    (chosen,) = [frame for frame in bench.read(0, "selected.extxyz") if frame.info["reason"] != "audit"]
    assert chosen.info["deviation"] > 0.012
    assert record.total.failed == record.total.total - record.total.accurate - record.total.candidate > 0


def test_a_species_that_a_later_stage_brings_is_refused_before_anything_runs(bench, tmp_path):
    silver = bulk("Ag", cubic=True)
    schedule = [bench.stage(), bench.stage("foreign", structures=[structure_file(tmp_path, "silver", silver)])]
    with pytest.raises(ValueError, match=r"stage foreign: .*silver\.xyz holds Ag, but the model knows Cu, Au; add labelled frames"):
        bench.campaign(schedule=schedule).run()
    assert bench.steps["dynamics"] == 0


@pytest.mark.parametrize("names", [[], ["cells", "cells"]])
def test_stages_have_names_of_their_own(bench, names):
    schedule = [bench.stage(name) for name in names]
    with pytest.raises(ValueError, match="expected one at least and each name once"):
        Campaign(**{**vars(bench.campaign()), "schedule": schedule})


def test_frames_of_which_no_local_cell_can_be_cut_are_counted_with_the_reason_before_and_after_a_kill(bench):
    """Eight atoms of a metal: too many here, and too small a cell to cut one from it."""
    cells = LocalCells(larger_than=4, edge=10.4, core=4.0)
    for _ in range(2):  # the second time from what was written
        with pytest.raises(ValueError, match=r"unsound were \{'the frame is no larger than a local cell': \d+\}"):
            bench.campaign(STRICT, selection=Selection(n=6, separation=30.0, local_cells=cells)).run()
    assert bench.asked == [[], []]


def test_what_members_measure_is_compared_once_the_last_stage_has_converged(bench):
    asked = []

    def confirm(model, folder, watch):
        asked.append((model, folder))
        return SimpleNamespace(reason="members do not agree on g(r)")

    campaign = bench.campaign(confirm=confirm)
    campaign.run()
    assert asked == [(bench.folder / "model", bench.folder / "confirmation")]
    assert campaign.watch.told[-1] == "members do not agree on g(r)"


def test_what_members_measure_is_not_compared_where_the_last_stage_has_not_converged(bench):
    def confirm(model, folder, watch):
        pytest.fail("it was compared")

    records = bench.campaign(STRICT, schedule=[bench.stage(most_rounds=1)], confirm=confirm).run()
    assert len(records) == 1
