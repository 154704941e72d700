"""The ledger: its rows agree with its files, whatever was killed in between."""

import json

import numpy as np
import pytest
from ase.stress import voigt_6_to_full_3x3_stress

from mlff.active.executors import Local
from mlff.active.label import label
from mlff.active.ledger import COLUMNS, Ledger
from tests.active.oracles import STRESS, Springs, chain


@pytest.fixture(scope="module")
def workers():
    with Local(2) as workers:
        yield workers


@pytest.fixture
def ledger(tmp_path, workers):
    """Of frame 0, which is labelled, and of frame 1, in quarantine."""
    ledger = Ledger(tmp_path / "ledger")
    label([chain(0), chain(1, "unconverged")], Springs(), ledger, workers, cores=4)
    yield ledger
    ledger.close()


def key_of(ledger, number):
    return ledger.key(chain(number), Springs())


def test_a_row_tells_what_the_label_took(ledger):
    good, bad = (ledger.row(key_of(ledger, number)) for number in (0, 1))
    assert list(good) == list(COLUMNS)
    assert (good["status"], good["reason"]) == ("labelled", None)
    assert (bad["status"], bad["reason"]) == ("unconverged", "the SCF did not converge")
    assert good["energy"] == pytest.approx(0.5 * np.sum(chain(0).positions ** 2))
    assert bad["energy"] is None
    for row in (good, bad):
        assert (row["code"], row["version"], row["formula"], row["n_atoms"]) == ("springs", "1", "ClLi", 2)
        assert (row["attempts"], row["cores"]) == (1, 4)
        assert row["core_seconds"] == 4 * row["wall_time"] > 0
        assert row["submitted"] <= row["finished"]
    assert ledger.core_hours() == pytest.approx((good["core_seconds"] + bad["core_seconds"]) / 3600)
    assert {row["key"] for row in ledger.rows()} == {good["key"], bad["key"]}
    assert ledger.statuses([bad["key"], "unknown"]) == {bad["key"]: "unconverged", "unknown": "missing"}


def test_a_label_comes_back_with_the_frame_that_was_asked_for_or_its_own(ledger):
    key, frame = key_of(ledger, 0), chain(0)
    frame.info["temperature"] = 300.0
    for made in (ledger.labelled(key, frame), ledger.labelled(key)):
        np.testing.assert_array_equal(made.numbers, frame.numbers)
        np.testing.assert_array_equal(made.positions, frame.positions)
        np.testing.assert_array_equal(made.cell.array, frame.cell.array)
        np.testing.assert_array_equal(made.pbc, frame.pbc)
        np.testing.assert_array_equal(made.arrays["REF_forces"], -frame.positions)
        np.testing.assert_array_equal(voigt_6_to_full_3x3_stress(made.info["REF_stress"]), STRESS)
    assert ledger.labelled(key, frame).info["temperature"] == 300.0
    assert "temperature" not in ledger.labelled(key).info


def test_what_is_no_label_is_not_given_as_one(ledger):
    key = key_of(ledger, 1)
    with pytest.raises(ValueError, match=f"{key} is unconverged in .*, expected labelled; label it first"):
        ledger.labelled(key)


def test_files_that_are_no_rows_are_taken_in(ledger):
    rows = ledger.rows()
    ledger.close()
    (ledger.folder / "ledger.sqlite").unlink()
    assert Ledger(ledger.folder).rows() == rows


def test_a_newer_attempt_replaces_a_row_in_quarantine(ledger):
    """As a worker leaves it whose driver was killed."""
    key = key_of(ledger, 1)
    label = json.loads(ledger.path(key).read_text())
    ledger.path(key).write_text(json.dumps(label | {"attempts": 2, "status": "labelled", "energy": -1.0, "reason": None}))
    row = Ledger(ledger.folder).row(key)
    assert (row["attempts"], row["status"], row["energy"]) == (2, "labelled", -1.0)


def test_rows_without_a_file_are_dropped(ledger):
    ledger.path(key_of(ledger, 0)).unlink()
    assert [row["key"] for row in Ledger(ledger.folder).rows()] == [key_of(ledger, 1)]


def test_files_of_older_versions_are_read(tmp_path):
    old = {"status": "labelled", "energy": -1.0, "forces": [[0.0, 0.0, 1.0]] * 2, "stress": None}
    old |= {"code": "CP2K", "version": "2025.1", "settings": "abc", "wall_time": 36.0}
    (tmp_path / "k.json").write_text(json.dumps(old))
    ledger = Ledger(tmp_path)
    row = ledger.row("k")
    assert (row["settings_hash"], row["attempts"], row["formula"]) == ("abc", 1, None)
    assert ledger.core_hours() == pytest.approx(0.01)
    np.testing.assert_array_equal(ledger.labelled("k", chain(0)).arrays["REF_forces"], old["forces"])
    with pytest.raises(ValueError, match=r"k\.json holds no structure.*give the frame that was labelled"):
        ledger.labelled("k")


@pytest.mark.parametrize("text", ['{"status": "lab', "[]", "{}"])
def test_a_file_that_is_no_label_is_refused(tmp_path, text):
    (tmp_path / "k.json").write_text(text)
    with pytest.raises(ValueError, match=r"k\.json is no label .*; delete it, so that the frame is labelled again"):
        Ledger(tmp_path)
