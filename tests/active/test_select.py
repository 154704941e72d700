"""What is chosen of what was explored."""

import numpy as np
import pytest

from mlff.active.explored import Condition
from mlff.active.rankings import Random, Uncertain
from mlff.active.select import CANDIDATE, HOP, LAST, Hops, Selection
from tests.active.trajectories import judged


def chosen(selection: Selection, trajectories, rng) -> list:
    """By the uncertainty."""
    pool, _ = selection.pool(trajectories, rng)
    return selection.choose(pool, Uncertain(np.array([pick.value for pick in pool])))


def test_the_pool_holds_candidates_alone(rng):
    pool, refused = Selection().pool([judged([0.05, 0.2, 0.15, 0.4, 0.2]), judged([0.05, 0.11])], rng)
    assert [(pick.trajectory, pick.frame, pick.value, pick.time) for pick in pool] == [
        (0, 1, 0.2, 40.0),
        (0, 2, 0.15, 60.0),
        (1, 1, 0.11, 40.0),
    ]
    assert {pick.reason for pick in pool} == {CANDIDATE}
    assert refused == {}


def test_of_a_trajectory_that_failed_without_a_candidate_the_last_frame_before_is_there(rng):
    pool, _ = Selection().pool([judged([0.05, 0.06, 0.4]), judged([0.05, 0.06]), judged([0.4])], rng)
    assert [(pick.trajectory, pick.frame, pick.reason) for pick in pool] == [(0, 1, LAST)]


def test_of_a_trajectory_that_a_guard_stopped_too(rng):
    pool, _ = Selection().pool([judged([0.05, 0.06, 0.07], n_planned=9, ending="too hot")], rng)
    assert [(pick.frame, pick.reason) for pick in pool] == [(2, LAST)]


def test_the_last_frame_before_is_a_sound_one(rng):
    """A trajectory stopped by two atoms that came close, of which the members think nothing."""
    one = judged([0.05, 0.06, 0.07], n_planned=9, ending="atoms 0 and 1 are 0.3 Å apart")
    one.trajectory.frames[2].positions[1] = one.trajectory.frames[2].positions[0]
    pool, refused = Selection().pool([one], rng)
    assert [(pick.frame, pick.reason) for pick in pool] == [(1, LAST)]
    assert refused == {}  # it was no candidate


def test_candidates_that_are_not_sound_are_counted_and_the_last_frame_before_stands_in(rng):
    one = judged([0.05, 0.2, 0.25, 0.4])
    for k in (1, 2):
        one.trajectory.frames[k].positions[1] = one.trajectory.frames[k].positions[0]
    pool, refused = Selection().pool([one], rng)
    assert [(pick.frame, pick.reason) for pick in pool] == [(0, LAST)]
    assert refused == {"Cl and Li too close": 2}


def test_the_most_that_are_ranked_are_drawn_from_all(rng):
    pool, _ = Selection(most=20).pool([judged([0.2] * 100)], rng)
    frames = [pick.frame for pick in pool]
    assert len(set(frames)) == 20
    assert frames == sorted(frames)
    assert max(frames) > 60


def test_two_frames_of_one_trajectory_are_apart_in_time(rng):
    """20 fs from frame to frame: 60 fs allow each third."""
    taken = chosen(Selection(n=10, separation=60.0), [judged([0.2, 0.21, 0.22, 0.23, 0.24, 0.25, 0.26])], rng)
    assert [pick.frame for pick in taken] == [6, 3, 0]


def test_frames_of_two_trajectories_may_share_a_time(rng):
    taken = chosen(Selection(n=10, separation=1000.0), [judged([0.2]), judged([0.25])], rng)
    assert [pick.trajectory for pick in taken] == [1, 0]


def test_a_quota_spreads_labels_over_conditions(rng):
    hot, cold = Condition("licl", 600.0), Condition("licl", 300.0)
    trajectories = [judged(np.linspace(0.2, 0.29, 20), condition=hot), judged(np.linspace(0.11, 0.15, 20), condition=cold)]
    taken = chosen(Selection(n=8, quota=0.4, separation=0), trajectories, rng)
    assert sum(pick.condition == hot for pick in taken) == 4  # ⌈0.4 · 8⌉ until there is no other; then the cold ones are as many
    assert sum(pick.condition == cold for pick in taken) == 4


def test_a_quota_gives_way_where_nothing_else_is_left(rng):
    hot, cold = Condition("licl", 600.0), Condition("licl", 300.0)
    trajectories = [judged(np.linspace(0.2, 0.29, 20), condition=hot), judged([0.11], condition=cold)]
    taken = chosen(Selection(n=8, quota=0.5, separation=0), trajectories, rng)
    assert [pick.condition for pick in taken] == [hot] * 4 + [cold] + [hot] * 3
    assert [pick.frame for pick in taken if pick.condition == hot] == [19, 18, 17, 16, 15, 14, 13]


def test_a_quota_is_of_structure_and_temperature_not_of_pressure(rng):
    trajectories = [judged([0.2 + 0.01 * k], condition=Condition("licl", 300.0, pressure)) for k, pressure in enumerate([0.0, 1.0, 2.0])]
    trajectories.append(judged([0.11], condition=Condition("licl", 600.0)))
    taken = chosen(Selection(n=3, quota=0.5), trajectories, rng)
    assert [pick.condition.temperature for pick in taken] == [300.0, 300.0, 600.0]


def test_fewer_candidates_than_asked_for_are_all_taken_once(rng):
    selection = Selection(n=40, separation=0)
    pool, _ = selection.pool([judged([0.2] * 6)], rng)
    assert sorted(pick.frame for pick in selection.choose(pool, Random(len(pool), rng))) == [0, 1, 2, 3, 4, 5]


def test_of_nothing_nothing_is_chosen(rng):
    pool, _ = Selection().pool([judged([]), judged([0.05])], rng)
    assert Selection().choose(pool, Random(0, rng)) == []


def hop(values, at: int):
    """A trajectory in which lithium ion 1 goes to an empty site at a frame."""
    one = judged(values)
    for frame in one.trajectory.frames[at:]:
        frame.positions[1] += [1.28, 1.28, -1.28]
    return one


HOPS = Hops(["Li"], distance=1.5, window=200.0, share=0.25)


def test_frames_in_a_hop_claim_their_share_before_more_uncertain_ones(rng):
    trajectories = [hop([0.11] * 40, at=20), judged(np.linspace(0.2, 0.29, 20))]
    taken = chosen(Selection(n=8, quota=1.0, separation=20.0, hops=HOPS), trajectories, rng)
    assert [pick.reason for pick in taken] == [HOP, HOP] + [CANDIDATE] * 6
    assert all(abs(pick.frame - 20) < 5 for pick in taken[:2])
    assert [pick.trajectory for pick in taken] == [0, 0] + [1] * 6


def test_hops_behind_a_failure_are_none(rng):
    """The window of the last frames before would reach into frames that are not to be trusted."""
    values = [0.2] * 19 + [0.5] + [0.2] * 20
    pool, _ = Selection(hops=HOPS).pool([hop(values, at=19)], rng)
    assert {pick.reason for pick in pool} == {CANDIDATE}


@pytest.mark.parametrize("options", [{"n": 0}, {"quota": 0.0}, {"quota": 1.1}])
def test_numbers_without_meaning_are_refused(options):
    with pytest.raises(ValueError, match="expected at least one frame, and a share above 0"):
        Selection(**options)
