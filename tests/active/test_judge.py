"""Frames sorted and counted."""

import json

import numpy as np
import pytest

from mlff.active.explored import Condition
from mlff.active.judge import Counts, counts_by_condition
from mlff.active.judged_file import write_judged
from mlff.uncertainty import FrameClass
from tests.active.trajectories import LEVELS, judged


def test_a_trajectory_is_cut_at_its_first_failed_frame():
    one = judged([0.05, 0.2, 0.31, 0.05, 0.2, 0.9])
    assert one.classes.tolist() == ["accurate", "candidate", "failed"]
    assert one.which(FrameClass.CANDIDATE).tolist() == [1]
    assert (len(one.values), len(one.deviation), one.not_reached) == (3, 3, 3)


def test_levels_belong_to_the_class_above():
    assert judged([0.1, 0.3]).classes.tolist() == ["candidate", "failed"]


@pytest.mark.parametrize("worst", [np.nan, np.inf])
def test_what_is_not_a_number_has_failed(worst):
    assert judged([0.05, worst]).classes.tolist() == ["accurate", "failed"]


def test_frames_that_were_not_reached_count_as_failed():
    counts = Counts.of(judged([0.05, 0.2, 0.5, 0.05], n_planned=20, ending="too hot"))
    assert counts == Counts(accurate=1, candidate=1, failed=18)
    assert counts.ratio == 1 / 20


def test_a_stop_at_the_very_end_by_a_frame_that_seems_accurate_is_a_failure():
    assert Counts.of(judged([0.05] * 10, ending="the force is too large")).failed == 1
    assert Counts.of(judged([0.05] * 9 + [0.4], ending="the members disagree")).failed == 1


def test_a_trajectory_without_a_frame_has_failed_as_planned():
    counts = Counts.of(judged([], n_planned=7, ending="not a number"))
    assert counts == Counts(failed=7)


def test_counts_of_a_condition_add_up_in_the_order_of_conditions():
    hot, cold = Condition("licl", 600.0), Condition("licl", 300.0)
    found = counts_by_condition([judged([0.05, 0.2], condition=hot), judged([0.05], condition=cold), judged([0.4], condition=hot)])
    assert list(found.items()) == [(cold, Counts(1, 0, 0)), (hot, Counts(1, 1, 1))]


def test_of_nothing_there_is_no_ratio():
    assert np.isnan(Counts().ratio)


def test_what_was_judged_is_written_with_infinity_as_none(tmp_path):
    write_judged(tmp_path / "judged.json", [judged([0.05, np.inf, 0.2], every=5)], LEVELS, "eV/Å")
    written = json.loads((tmp_path / "judged.json").read_text())
    assert (written["low"], written["high"], written["unit"]) == (0.1, 0.3, "eV/Å")
    (row,) = written["trajectories"]
    assert (row["times"], row["values"], row["classes"]) == ([10.0, 20.0], [0.05, None], ["accurate", "failed"])
    assert (row["structure"], row["temperature"], row["not_reached"]) == ("licl", 300.0, 1)
