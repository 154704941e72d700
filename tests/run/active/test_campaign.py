"""From settings to a campaign: its first frames and its parts, and what is refused."""

import json

import pytest
from ase.io import read, write
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from mlff.active.frames import parts
from mlff.active.label import Labelled
from mlff.active.select import Hops
from mlff.active.watch import Silent
from mlff.bundled import bundled_folder
from mlff.run.active.campaign import campaign_of, kept_initial_frames
from mlff.run.command import CONF
from tests.active.alloy import divided, frames, labelled, labelled_file, structure_file


@pytest.fixture
def settings(tmp_path):
    """The configuration with some settings merged in."""

    def make(**changes):
        with initialize_config_dir(str(CONF), version_base="1.3"):
            cfg = compose("active", ["name=small", f"folder={tmp_path}/campaign"])
        OmegaConf.set_struct(cfg, False)  # as an override on the command line may, distances of any pair
        schedule = [{"name": "cells", "structures": [structure_file(tmp_path)], "temperatures": [300], "duration": 0.1}]
        return OmegaConf.merge(cfg, {"schedule": schedule}, changes)

    return make


class Labels:
    """refuses: numbers of frames, in the order in which they are given, that are not labelled."""

    def __init__(self, refuses=()):
        self.refuses, self.calls = refuses, 0

    def __call__(self, frames) -> Labelled:
        self.calls += 1
        made = [None if k in self.refuses else labelled(frame) for k, frame in enumerate(frames)]
        return Labelled(made, dict.fromkeys(self.refuses, "it hung"), [str(k) for k in range(len(frames))], 0)


class Nowhere:
    """An executor that no task is sent to."""

    gpu = None


def files(tmp_path, n: int) -> list[str]:
    write(tmp_path / "bare.extxyz", frames(n), format="extxyz")
    return [str(tmp_path / "bare.extxyz")]


def test_frames_that_are_labelled_first_are_divided_and_some_measure_errors(settings, tmp_path):
    cfg = settings(initial={"frames": files(tmp_path, 24)}, val_every=8)
    assert parts(kept_initial_frames(cfg, Labels(), Silent())) == {"train": 19, "val": 2, "test": 3}


def test_given_parts_are_kept_and_the_files_of_tests_are_the_tests(settings, tmp_path):
    given = labelled_file(tmp_path / "given.extxyz", frames(16))
    write(tmp_path / "test.extxyz", divided(frames(5, seed=1)), format="extxyz")
    cfg = settings(initial={"labelled": [str(given)]}, test=[str(tmp_path / "test.extxyz")])
    assert parts(kept_initial_frames(cfg, Labels(), Silent())) == {"train": 12, "val": 2, "test": 2 + 5}


def test_of_a_bundled_set_the_test_frames_are_the_tests(settings, tmp_path):
    given = labelled_file(tmp_path / "given.extxyz", frames(16))
    cfg = settings(initial={"labelled": [str(given)]}, test=["bundled:li3ps4"])
    splits = json.loads((bundled_folder("data") / "li3ps4_splits.json").read_text())
    whole = read(bundled_folder("data") / "li3ps4.extxyz.gz", index=":")
    tests = [frame for frame in kept_initial_frames(cfg, Labels(), Silent()) if "Li" in frame.symbols]
    assert {frame.info["split"] for frame in tests} == {"test"}
    assert sorted(frame.info["REF_energy"] for frame in tests) == pytest.approx(
        sorted(whole[k].info["REF_energy"] for k in splits["test"]), rel=0, abs=1e-6
    )


def test_a_label_that_comes_later_moves_no_frame_to_another_part(settings, tmp_path):
    cfg, watch = settings(initial={"frames": files(tmp_path, 24)}), Silent()
    first = kept_initial_frames(cfg, Labels(refuses=[2]), watch)
    assert watch.told == ["1 of 24 initial frames could not be labelled; the first: it hung"]
    labels = Labels()
    assert [frame.info["split"] for frame in kept_initial_frames(cfg, labels, watch)] == [frame.info["split"] for frame in first]
    assert labels.calls == 0


@pytest.mark.parametrize("where", ["test", "labelled"])
def test_frames_without_labels_are_refused_where_they_should_have_them(settings, tmp_path, where):
    bare = files(tmp_path, 4)
    cfg = settings(**({"test": bare} if where == "test" else {"initial": {"labelled": bare}}))
    with pytest.raises(ValueError, match="4 of 4 frames hold no REF_energy and REF_forces; rename their labels"):
        kept_initial_frames(cfg, Labels(), Silent())


def test_too_few_frames_are_refused(settings, tmp_path):
    cfg = settings(initial={"frames": files(tmp_path, 4)})
    with pytest.raises(ValueError, match=r"of the initial frames .*'val': 0.* found none for val"):
        kept_initial_frames(cfg, Labels(), Silent())


def test_an_unknown_part_is_refused(settings, tmp_path):
    strange = divided(frames(8))
    strange[0].info["split"] = "validation"
    write(tmp_path / "strange.extxyz", strange, format="extxyz")
    with pytest.raises(ValueError, match=r"found frames whose split is \['validation'\], expected one of train, val, test"):
        kept_initial_frames(settings(initial={"labelled": [str(tmp_path / "strange.extxyz")]}), Labels(), Silent())


def test_settings_reach_the_parts(settings, tmp_path):
    hops = {"mobile": ["Cu"], "distance": 2.0, "window": 300.0, "share": 0.5}
    cfg = settings(
        initial={"labelled": [str(labelled_file(tmp_path / "given.extxyz", frames(16)))]},
        selection={"n": 7, "hops": hops, "soundness": {"distances": {"Cu-Au": 2.0}}},
        explore={"record": 40.0},
        seed=4,
    )
    campaign = campaign_of(cfg, Labels(), Nowhere(), lambda keys: 0.0, Silent())
    assert (campaign.selection.n, campaign.selection.quota, campaign.selection.hops) == (7, 0.5, Hops(["Cu"], 2.0, 300.0, 0.5))
    assert campaign.selection.soundness.distances == {"Cu-Au": 2.0}
    assert campaign.explorer.intervals().frames == 20
    assert campaign.explorer.ensembles["npt"].varies_cell
    assert (campaign.seed, campaign.train.seed) == (4, 4)
    assert [stage.name for stage in campaign.schedule] == ["cells"]
    assert (campaign.criterion.low, campaign.criterion.high) == (0.11, 0.26)


def test_an_unknown_ranking_is_refused_with_those_that_are_known(settings):
    with pytest.raises(ValueError, match=r"selection\.rank_by is 'best', expected one of farthest_point, maxvol, random, uncertain"):
        campaign_of(settings(selection={"rank_by": "best"}), Labels(), Nowhere(), lambda keys: 0.0, Silent())


def test_tasks_find_the_folder_and_the_structures_wherever_they_start(settings, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    structure_file(tmp_path, "here")
    cfg = settings(
        folder="runs/small",
        initial={"labelled": [str(labelled_file(tmp_path / "given.extxyz", frames(16)))]},
        schedule=[{"name": "cells", "structures": ["here.xyz", "Li3PS4_gamma"], "temperatures": [300], "duration": 0.1}],
    )
    campaign = campaign_of(cfg, Labels(), Nowhere(), lambda keys: 0.0, Silent())
    assert campaign.folder == tmp_path / "runs" / "small"
    assert campaign.schedule[0].structures == [str(tmp_path / "here.xyz"), "Li3PS4_gamma"]
