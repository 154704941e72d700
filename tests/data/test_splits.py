"""Parts are disjoint, apart in what the kind says, the same for the same seed; a split that leaks says so."""

import dataclasses
import itertools
import json
import re

import numpy as np
import pytest

from mlff.data import Frame, read_frames, split_frames

PARTS = ("train", "val", "test")


@pytest.fixture
def two_runs(lj_run):
    """The same run under two files, the second at twice the temperature."""
    return [*lj_run, *(dataclasses.replace(f, source="other.extxyz", info={**f.info, "temperature": 900.0}) for f in lj_run)]


@pytest.mark.parametrize("kind", ["trajectory_block", "temperature", "file", "random"])
def test_parts_are_disjoint_and_follow_the_seed(two_runs, kind):
    fractions = (0.8, 0.0, 0.2) if kind == "file" else (0.8, 0.1, 0.1)
    one, same = (split_frames(two_runs, kind, fractions=fractions, seed=3) for _ in range(2))
    for part in PARTS:
        np.testing.assert_array_equal(getattr(one, part), getattr(same, part))
    together = np.concatenate([one.train, one.val, one.test])
    assert len(np.unique(together)) == len(together) <= len(two_runs)
    assert any(not np.array_equal(one.train, split_frames(two_runs, kind, fractions=fractions, seed=s).train) for s in range(10))


@pytest.mark.parametrize("guard", [0, 1, 3])
@pytest.mark.parametrize("seed", range(5))
def test_blocks_are_contiguous_and_a_guard_apart(lj_run, guard, seed):
    splits = split_frames(lj_run, guard=guard, seed=seed)
    label = np.full(60, -1)
    for k, part in enumerate(PARTS):
        label[getattr(splits, part)] = k
    for part in (splits.val, splits.test):
        assert len(part) in range(6 - guard, 7)
        assert np.all(np.diff(part) == 1)
    used = np.flatnonzero(label >= 0)
    for left, right in itertools.pairwise(used):
        if label[left] != label[right]:
            assert right - left > guard


def test_short_runs_go_whole_into_one_part(lj_run):
    runs = [dataclasses.replace(f, index=k % 6, info={"trajectory": f"run {k // 6}"}) for k, f in enumerate(lj_run)]
    splits = split_frames(runs, fractions=(0.6, 0.2, 0.2))
    assert [len(getattr(splits, part)) for part in PARTS] == [36, 12, 12]
    homes = [{k // 6 for k in getattr(splits, part)} for part in PARTS]
    assert not homes[0] & homes[1]
    assert not (homes[0] | homes[1]) & homes[2]


def test_named_groups_are_held_out(two_runs):
    splits = split_frames(two_runs, "temperature", test=[900], val=[600])
    assert {two_runs[k].info["temperature"] for k in splits.test} == {900.0}
    assert {two_runs[k].info["temperature"] for k in splits.train} == {300.0}
    by_file = split_frames(two_runs, "file", test=["other.extxyz"], fractions=(0.9, 0.0, 0.1))
    assert {two_runs[k].source for k in by_file.test} == {"other.extxyz"}
    with pytest.raises(ValueError, match=re.escape("no frame has temperature 1200; found 300.0, 600.0, 900.0: choose among these")):
        split_frames(two_runs, "temperature", test=[1200])


def test_compositions_stay_together(lj_run):
    smaller = [
        dataclasses.replace(f, numbers=f.numbers[:-1], positions=f.positions[:-1], forces=f.forces[:-1], stress=None) for f in lj_run[:20]
    ]
    frames = [*lj_run, *smaller]
    splits = split_frames(frames, "composition", test=["Ar16Kr15"], fractions=(0.9, 0.0, 0.1))
    assert splits.test.tolist() == list(range(60, 80))


def test_frames_without_a_temperature_are_named(lj_run):
    bare = dataclasses.replace(lj_run[5], info={})
    with pytest.raises(
        ValueError, match=re.escape("lj.extxyz, frame 5 states no temperature (and 0 more frames do not); write `temperature`")
    ):
        split_frames([*lj_run[:5], bare], "temperature")


@pytest.mark.parametrize("kind", ["trajectory_block", "random", "temperature"])
def test_isolated_atoms_always_train(lj_run, kind):
    atom = Frame([18], np.zeros((1, 3)), np.zeros((3, 3)), False, 0.0, None, None, info={"config_type": "IsolatedAtom"})
    for seed in range(4):
        splits = split_frames([atom, *lj_run, atom], kind, fractions=(0.5, 0.0, 0.5), seed=seed)
        assert {0, 61} <= set(splits.train.tolist())
        assert len(splits.test) > 20


def test_a_random_split_says_that_it_leaks(lj_run):
    splits = split_frames(lj_run, "random")
    assert splits.leaks
    assert "LEAKS: frames of one run lie in several parts" in splits.description


def test_shuffled_frames_leak_even_in_blocks(lj_run, rng):
    in_order = split_frames(lj_run, guard=5, seed=1)
    shuffled = [dataclasses.replace(lj_run[k], index=i) for i, k in enumerate(rng.permutation(60))]
    splits = split_frames(shuffled, guard=5, seed=1)
    assert splits.leaks
    assert re.search(r"\d+% of the test frames have nearly the same forces as a training frame", splits.description)
    # in the order of time, five steps let the test block forget the training frames
    assert not in_order.leaks


@pytest.mark.parametrize("named", [True, False])
def test_given_indices_come_from_the_file(lj_run, tmp_path, named):
    listed = {"train": list(range(40)), "val": list(range(45, 50)), "test": list(range(52, 60))}
    path = tmp_path / "splits.json"
    path.write_text(json.dumps({"comment": "by hand", "mine": listed} if named else listed))
    splits = split_frames(lj_run, "given", splits=path, name="mine" if named else None)
    assert {part: getattr(splits, part).tolist() for part in PARTS} == listed
    assert not splits.leaks


def test_given_indices_per_file(two_runs):
    listed = {"train": {"lj.extxyz": [0, 1]}, "val": {"other.extxyz": [3]}, "test": {"other.extxyz": [30]}}
    splits = split_frames(two_runs, "given", splits=listed)
    assert (splits.train.tolist(), splits.val.tolist(), splits.test.tolist()) == ([0, 1], [63], [90])


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ({"train": [0], "val": [1], "test": [60]}, "splits, test: index 60 fits 0 frames, expected 1; list indices per file"),
        ({"train": [0], "val": [1], "test": [0]}, "1 frames stand in train and in test .first: lj.extxyz, frame 0.; each may stand in one"),
        ({"train": [0], "val": [1]}, "splits: holds no list 'test', found train, val; add it"),
        ({"train": [0], "val": [1], "test": {"b.extxyz": [7]}}, "frame 7 of b.extxyz is not among the frames read .1 missing."),
        ({"a": {}, "b": {}}, "holds the splits none, but None was asked for; choose one with name="),
    ],
)
def test_wrong_lists_are_refused(lj_run, listed, message):
    with pytest.raises(ValueError, match=message):
        split_frames(lj_run, "given", splits=listed)


def test_an_empty_part_is_refused_with_the_remedy(lj_run):
    expected = (
        "the val part of the file split is empty (60 frames); give more frames, a larger fraction, "
        "or another kind (file, composition, temperature, trajectory_block)"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        split_frames(lj_run, "file")


def test_fractions_and_kinds_are_checked(lj_run):
    with pytest.raises(ValueError, match="split kind 'blocks' is unknown; choose one of trajectory_block, temperature, "):
        split_frames(lj_run, "blocks")
    with pytest.raises(ValueError, match=r"fractions are \(0.5, 0.1, 0.1\), expected three numbers"):
        split_frames(lj_run, fractions=(0.5, 0.1, 0.1))


def test_published_splits_of_real_sets(data_folder):
    lips = read_frames(data_folder / "lips_520K" / "lips_1000.extxyz")
    splits = split_frames(lips, "given", splits=data_folder / "lips_520K" / "splits.json", name="LiPS-100")
    assert [len(getattr(splits, part)) for part in PARTS] == [100, 50, 850]
    assert splits.leaks  # one run, drawn at random
    lgps = read_frames(data_folder / "lgps_pbe")
    splits = split_frames(lgps, "given", splits=data_folder / "lgps_pbe" / "splits.json", train_key="train_300")
    assert [len(getattr(splits, part)) for part in PARTS] == [300, 253, 496]
    assert {len(lgps[k]) for k in splits.train} == {50}
    assert not splits.leaks
