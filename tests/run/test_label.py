"""Labelling many frames: what is kept, what is tried again, and what a kill costs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read, write
from ase.stress import voigt_6_to_full_3x3_stress

from mlff.active.executors import Local
from mlff.run.label import label_frames
from tests.active.oracles import Springs, chain

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def workers():
    with Local(2) as workers:
        yield workers


@pytest.fixture
def oracle(tmp_path):
    return Springs(tmp_path / "calls")


def calls(oracle) -> list[int]:
    path = Path(oracle.calls)
    return sorted(int(line) for line in path.read_text().split()) if path.exists() else []


def chains(n_frames: int, fates: dict[int, str] | None = None) -> list[Atoms]:
    frames = [chain(number, (fates or {}).get(number, "")) for number in range(n_frames)]
    for number, frame in enumerate(frames):
        frame.info |= {"trajectory": f"run-{number // 2}", "temperature": 300.0}
    return frames


@pytest.fixture
def files(tmp_path, workers):
    def write_frames(frames):
        write(tmp_path / "frames.extxyz", frames)
        return {
            "input": tmp_path / "frames.extxyz",
            "output": tmp_path / "labelled.extxyz",
            "folder": tmp_path / "labels",
            "workers": workers,
            "progress": False,
        }

    return write_frames


def test_labels_come_back_as_they_were_made_in_the_order_of_the_frames(files, oracle):
    where = files(chains(5))
    summary = label_frames(oracle, **where)
    assert (summary.labelled, summary.new, summary.failed) == (5, 5, {})
    for number, (made, given) in enumerate(zip(read(where["output"], ":"), read(where["input"], ":"), strict=True)):
        label = oracle.label(given)
        assert made.info["number"] == number
        assert made.info["trajectory"] == given.info["trajectory"]
        assert (made.info["energy_kind"], made.info["settings"]) == ("free", label.settings_hash)
        np.testing.assert_allclose(made.info["REF_energy"], label.energy, rtol=1e-8)
        # 1e-8 eV/Å: as many decimals as the file holds
        np.testing.assert_allclose(made.arrays["REF_forces"], label.forces, atol=1e-8)
        np.testing.assert_allclose(voigt_6_to_full_3x3_stress(made.info["REF_stress"]), label.stress, rtol=1e-8)


def test_labels_of_other_frames_in_the_output_are_not_lost(files, oracle, tmp_path):
    frames = chains(4)
    where = files(frames[:2])
    label_frames(oracle, **where)
    write(tmp_path / "more.extxyz", frames[2:])
    with pytest.raises(ValueError, match=r"holds 2 labelled frame\(s\) that are not among these inputs .*name all inputs"):
        label_frames(oracle, **where | {"input": tmp_path / "more.extxyz"})
    assert len(read(where["output"], ":")) == 2
    summary = label_frames(oracle, **where | {"input": [str(where["input"]), str(tmp_path / "more.extxyz")]})
    assert (summary.labelled, summary.new) == (4, 2)


def test_a_second_run_labels_only_what_is_missing(files, oracle):
    where = files(chains(6))
    label_frames(oracle, **where)
    victims = sorted(where["folder"].glob("*.json"))[:2]
    for path in victims:
        path.unlink()
    # what a kill in the middle of a write leaves behind
    victims[0].with_suffix(".1.tmp").write_text('{"status": "lab')
    Path(oracle.calls).unlink()
    summary = label_frames(oracle, **where)
    assert (summary.labelled, summary.new, len(calls(oracle))) == (6, 2, 2)


def test_a_frame_given_twice_runs_once(files, oracle):
    frames = chains(2)
    where = files([*frames, *frames])
    assert label_frames(oracle, **where).labelled == 4
    assert calls(oracle) == [0, 1]


def test_other_settings_are_other_labels(files, oracle):
    where = files(chains(2))
    label_frames(oracle, **where)
    oracle.settings = {**oracle.settings, "stiffness": 2.0}
    assert label_frames(oracle, **where).new == 2


def test_failures_go_to_quarantine_with_their_reason_and_do_not_stop_the_rest(files, oracle):
    where = files(chains(4, {1: "unconverged", 3: "failed"}))
    summary = label_frames(oracle, **where)
    assert [frame.info["number"] for frame in read(where["output"], ":")] == [0, 2]
    assert summary.failed == {1: "the SCF did not converge", 3: "the program stopped early"}
    assert "in quarantine          2\n" in str(summary)
    assert "1 × the SCF did not converge" in str(summary)
    kept = [json.loads(path.read_text())["status"] for path in where["folder"].glob("*.json")]
    assert sorted(kept) == ["failed", "labelled", "labelled", "unconverged"]
    # not tried again by itself, but on request
    Path(oracle.calls).unlink()
    label_frames(oracle, **where)
    assert calls(oracle) == []
    label_frames(oracle, **where, retry_failed=True)
    assert calls(oracle) == [1, 3]


def test_nothing_labelled_is_an_error(files, oracle):
    with pytest.raises(ValueError, match="not one of 2 frames could be labelled; the first failed so: the program stopped early"):
        label_frames(oracle, **files(chains(2, {0: "failed", 1: "failed"})))


def test_no_frame_is_an_error(files, oracle):
    where = files(chains(1)) | {"input": []}
    with pytest.raises(ValueError, match=r"no frame to label in \[\]; expected at least one extxyz file"):
        label_frames(oracle, **where)


@pytest.mark.slow
def test_killed_in_the_middle_the_command_goes_on_where_it_stopped(tmp_path):
    pytest.importorskip("tblite", reason="tblite is not installed (pip install .[xtb])")
    frames = []
    for number in range(12):
        sulphide = Atoms(
            "Li3PS4",
            [[2, 0, 0], [-2, 1, 0], [0, -2, 1.5], [0, 0, 0], [1.2, 1.2, 1.2], [-1.2, -1.2, 1.2], [-1.2, 1.2, -1.2], [1.2, -1.2, -1.2]],
        )
        sulphide.rattle(0.05, seed=number)
        frames.append(sulphide)
    write(tmp_path / "frames.extxyz", frames)
    command = [sys.executable, "scripts/label_frames.py", f"input={tmp_path}/frames.extxyz", f"output={tmp_path}/out.extxyz"]
    command += ["oracle=xtb", f"folder={tmp_path}/labels", "progress=false"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def finished() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in (tmp_path / "labels").glob("*.json")}

    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        while len(finished()) < 3:
            assert process.poll() is None, "the run ended before it could be killed"
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = {}
    while before != (before := finished()):  # a worker may hand in the label it was about to write before it is ended
        time.sleep(1.0)
    assert 3 <= len(before) < 12
    assert not (tmp_path / "out.extxyz").exists()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"  of them new   {12 - len(before):>8}" in done.stdout
    after = finished()
    assert len(after) == 12
    assert {name: after[name] for name in before} == before  # what was finished was not touched
    assert len(read(tmp_path / "out.extxyz", ":")) == 12
