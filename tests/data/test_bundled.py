"""The bundled Li3PS4 set: it reads whole, its labels are of sane size and sign, and its splits hold whole trajectories apart."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import mlff
from mlff.data import read_frames
from mlff.geometry import find_anions
from mlff.units import EV_PER_A3_TO_GPA

FOLDER = Path(mlff.__file__).parent / "data" / "bundled"
MAX_SIZE = 4e6  # bytes


@pytest.fixture(scope="module")
def frames():
    return read_frames(FOLDER / "li3ps4.extxyz.gz")


@pytest.fixture(scope="module")
def splits():
    return json.loads((FOLDER / "li3ps4_splits.json").read_text())


def test_every_frame_is_labelled_in_full(frames):
    for frame in frames:
        assert frame.energy_kind == "free"
        assert sorted(set(frame.numbers)) == [3, 15, 16]
        assert (frame.forces.shape, frame.stress.shape) == ((len(frame.numbers), 3), (3, 3))
        # GPW's grid breaks translation a little: net forces stay below 0.1 eV/Å on 16 or 32 atoms
        assert abs(frame.forces.sum(0)).max() < 0.1
        # Li3PS4 in this set's basis and pseudopotentials; another basis is 0.09 eV/atom away
        assert -238.8 < frame.energy / len(frame.numbers) < -238.0


def test_denser_cells_are_under_more_pressure(frames):
    # tension positive: the stress's trace grows with the volume, within one phase
    gamma = [frame for frame in frames if frame.info["structure"] == "Li3PS4_gamma"]
    volumes = [frame.volume / len(frame.numbers) for frame in gamma]
    tension = [np.trace(frame.stress) / 3 * EV_PER_A3_TO_GPA for frame in gamma]
    slope = np.polyfit(volumes, tension, 1)[0]
    assert slope > 0.5  # GPa per Å³/atom


def test_splits_cover_the_set_once_in_whole_trajectories(frames, splits):
    indices = [i for part in splits.values() for i in part]
    assert sorted(indices) == list(range(len(frames)))
    part_of = {}
    for part, members in splits.items():
        for i in members:
            assert part_of.setdefault(frames[i].info["trajectory"], part) == part


def test_each_phase_and_temperature_is_tested(frames, splits):
    tested = [frames[i].info for i in splits["test"]]
    assert {info["config_type"] for info in tested} == {"gamma", "beta", "alpha"}
    assert {info["temperature"] for info in tested} == {300.0, 600.0, 900.0, 1200.0}


def test_the_readme_counts_the_frames_there_are(frames, splits):
    text = (FOLDER / "README.md").read_text()
    counted = re.search(r"\((\d+) frames, (\d+) train, (\d+) val, (\d+) test\)", text)
    assert [int(n) for n in counted.groups()] == [len(frames), *(len(splits[part]) for part in ("train", "val", "test"))]


def test_strained_cells_answer_with_opposite_stresses():
    frames = {frame.info["strain"]: frame for frame in read_frames(FOLDER / "li3ps4_elastic.extxyz.gz")}
    assert len(frames) == 19
    assert abs(frames["relaxed"].forces).max() < 0.02  # eV/Å
    for i, name in enumerate(("xx", "yy", "zz")):
        assert frames[f"{name} +0.01"].stress[i, i] > 0 > frames[f"{name} -0.01"].stress[i, i]  # pulled: tension
    # γ is orthorhombic: both signs of a shear cost the same energy (1e-4 eV: what is left of the relaxation)
    assert frames["xy +0.01"].energy == pytest.approx(frames["xy -0.01"].energy, abs=1e-4)


def test_the_bundle_is_small():
    assert sum(path.stat().st_size for path in FOLDER.glob("*.gz")) < MAX_SIZE


@pytest.fixture(scope="module")
def thiophosphates():
    return read_frames(FOLDER / "thiophosphates.extxyz.gz")


def test_a_campaigns_labels_are_whole(thiophosphates):
    """Each with its round and reason, in the settings of the other set, and no frame in both."""
    assert len({frame.info["settings"] for frame in thiophosphates}) == 1
    for frame in thiophosphates:
        assert frame.energy_kind == "free"
        assert (frame.forces.shape, frame.stress.shape) == ((len(frame.numbers), 3), (3, 3))
        assert abs(frame.forces.sum(0)).max() < 0.2  # GPW's grid; 42 atoms
        assert frame.info["round"] in (-1, 0, 1, 2, 3)
    assert sum(frame.info["round"] == -1 for frame in thiophosphates) == 30
    units = {frame.info["structure"]: find_anions(frame.numbers, frame.positions, frame.cell, frame.pbc) for frame in thiophosphates}
    assert {anion.kind for anions in units.values() for anion in anions} >= {"PS4", "P2S7", "P2S6"}


def test_what_a_campaign_audits_is_its_test(thiophosphates):
    splits = json.loads((FOLDER / "thiophosphates_splits.json").read_text())
    assert sorted(i for part in splits.values() for i in part) == list(range(len(thiophosphates)))
    for part, indices in splits.items():
        assert all((thiophosphates[i].info["reason"] == "audit") == (part == "test") for i in indices)
    counted = re.search(r"\(217 frames, (\d+) train, (\d+) val, (\d+) test\)", (FOLDER / "README.md").read_text())
    assert [int(n) for n in counted.groups()] == [len(splits[part]) for part in ("train", "val", "test")]
