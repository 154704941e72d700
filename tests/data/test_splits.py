"""Parts are disjoint, apart in what the kind says, the same for the same seed; a split that leaks says so."""

import dataclasses
import itertools
import json
import re

import ase.io
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
        ({"a": {}, "b": {}}, 'splits: holds no list \'train\', found a, b; expected ."train": .0, 1, …., "val": .….,'),
        ({"a": {"train": []}, "b": {"train": []}}, "holds the splits a, b, but None was asked for; choose one with name="),
    ],
)
def test_wrong_lists_are_refused(lj_run, listed, message):
    with pytest.raises(ValueError, match=message):
        split_frames(lj_run, "given", splits=listed)


def test_too_few_groups_are_counted_and_kinds_that_would_do_are_named(two_runs):
    expected = (
        "the test part of the file split is empty: found 2 files in 120 frames, needs at least 3 files to hold out whole ones; "
        "choose another kind (data/split=trajectory_block, temperature (there are 3), given, or random, which leaks)"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        split_frames(two_runs, "file")
    assert len(split_frames(two_runs, "temperature").test)  # the advice holds
    assert len(split_frames(two_runs, "trajectory_block").test)
    with pytest.raises(ValueError, match=r"train part of the temperature split is empty: found 3 temperatures .* name fewer of them"):
        split_frames(two_runs, "temperature", val=[300, 600], test=[900])


@pytest.mark.parametrize("guard", [0, 1, 2])
def test_the_smallest_trajectory_that_is_named_is_the_smallest_that_can_be_cut(lj_run, guard):
    with pytest.raises(ValueError, match="part of the trajectory_block split is empty") as refused:
        split_frames(lj_run[:8], guard=guard)
    found = re.search(r"found 8 frames in 1 trajectory \(the longest has 8\), .* at least (\d+) frames", str(refused.value))
    least = int(found.group(1))
    assert least == 9 + 4 * guard
    for seed in range(5):
        splits = split_frames(lj_run[:least], guard=guard, seed=seed)
        assert min(len(getattr(splits, part)) for part in PARTS) >= 3
    with pytest.raises(ValueError, match=f"guard {guard}; give a trajectory of at least {least} frames or 3 trajectories, or"):
        split_frames(lj_run[: least - 1], guard=guard)


def test_advice_of_a_smaller_guard_or_other_fractions_is_given_where_it_helps(lj_run):
    with pytest.raises(ValueError, match=r"or set data.split.guard=0 \(enough from 9 frames on\), or choose another kind"):
        split_frames(lj_run[:12])
    assert len(split_frames(lj_run[:12], guard=0).test) == 3
    with pytest.raises(ValueError, match=r"set data.split.fractions=\[0.8, 0.1, 0.1\] \(enough from 13 frames on\)"):
        split_frames(lj_run[:30], fractions=(0.1, 0.45, 0.45))
    with pytest.raises(ValueError, match="trajectory_block split is empty") as refused:
        split_frames(lj_run[:8])
    assert "guard=0" not in str(refused.value)


@pytest.mark.parametrize("seed", range(5))
def test_a_single_short_run_is_cut_and_the_dropped_frames_are_counted(lj_run, seed):
    splits = split_frames(lj_run[:30], seed=seed)
    sizes = [len(getattr(splits, part)) for part in PARTS]
    assert sizes[1:] == [3, 3]
    dropped = 30 - sum(sizes)
    assert dropped in (2, 3, 4)  # two blocks, each with one or two edges
    text = f"contiguous blocks of 1 run with a gap of 1 frame; train / val / test {sizes[0]} / 3 / 3 ({dropped} frames between parts"
    assert text in splits.description
    label = np.full(30, -1)
    for k, part in enumerate(PARTS):
        label[getattr(splits, part)] = k
    assert all(right < 0 or left < 0 or left == right for left, right in itertools.pairwise(label))


def test_single_frames_of_many_compositions_are_divided_whole(lj_run):
    frames = [
        Frame(f.numbers[:n], f.positions[:n], f.cell, True, f.energy, f.forces[:n], None, source=f"{n}.xyz", index=0)
        for n, f in zip(range(1, 21), lj_run, strict=False)
    ]
    splits = split_frames(frames)
    assert [len(getattr(splits, part)) for part in PARTS] == [16, 2, 2]
    assert "20 short runs kept whole" in splits.description


def test_frames_may_carry_their_own_split(lj_run, tmp_path):
    listed = ["train"] * 6 + ["val"] * 2 + ["test"] * 3 + [None]
    frames = [dataclasses.replace(f, info=f.info | ({"split": s} if s else {})) for f, s in zip(lj_run, listed, strict=False)]
    ase.io.write(tmp_path / "a.extxyz", [frame.to_atoms() for frame in frames])
    splits = split_frames(read_frames(tmp_path / "a.extxyz"), "given", splits=None)
    assert [getattr(splits, part).tolist() for part in PARTS] == [[0, 1, 2, 3, 4, 5], [6, 7], [8, 9, 10]]
    assert splits.description.startswith("given: by the frames' own key `split`; train / val / test 6 / 2 / 3 (1 frame left out)")
    wrong = [*frames, dataclasses.replace(lj_run[12], info={"split": "training"})]
    with pytest.raises(ValueError, match="frame 12: its split is 'training', expected one of train, val, test; correct the key"):
        split_frames(wrong, "given")
    with pytest.raises(ValueError, match="the val part of the given split is empty: nothing stands in it; name at least one frame"):
        split_frames(frames[:6], "given")


def test_a_given_split_without_either_names_both(lj_run):
    expected = (
        "splits is null and none of 60 frames has the key `split`; either write split=train, val or test to each frame, or name a JSON "
        'file of indices with splits (data.split.splits=…): {"train": [0, 1, …], "val": […], "test": […]}'
    )
    with pytest.raises(ValueError, match=re.escape(expected)):
        split_frames(lj_run, "given")


def test_files_of_one_name_are_told_apart_by_their_folder(lj_run):
    frames = [dataclasses.replace(f, source=f"/data/run{1 + k // 20}/vasprun.xml", index=k % 20) for k, f in enumerate(lj_run)]
    splits = split_frames(frames, "file", val=["run2/vasprun.xml"], test=["run3/vasprun.xml"])
    assert (splits.val.tolist(), splits.test.tolist()) == (list(range(20, 40)), list(range(40, 60)))
    assert "val: run2/vasprun.xml, test: run3/vasprun.xml" in splits.description
    with pytest.raises(ValueError, match=r"3 files are called vasprun.xml \(/data/run1/vasprun.xml, .*; name the folder too"):
        split_frames(frames, "file", test=["vasprun.xml"])
    listed = {"train": {"run1/vasprun.xml": [0, 1]}, "val": {"run2/vasprun.xml": [5]}, "test": {"run3/vasprun.xml": [7]}}
    splits = split_frames(frames, "given", splits=listed)
    assert (splits.train.tolist(), splits.val.tolist(), splits.test.tolist()) == ([0, 1], [25], [47])
    with pytest.raises(ValueError, match=r"splits, val: 3 files are called vasprun.xml"):
        split_frames(frames, "given", splits=listed | {"val": {"vasprun.xml": [5]}})


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
