"""Labelling with several workers: each frame once, and what fails fails alone."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from mlff.active.executors import Local
from mlff.active.label import label
from mlff.active.ledger import Ledger
from tests.active import tasks
from tests.active.oracles import Springs, chain
from tests.active.processes import lives, wait_until, workers_of, written

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def workers():
    with Local(2) as workers:
        yield workers


@pytest.fixture
def oracle(tmp_path):
    return Springs(tmp_path / "calls")


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    yield ledger
    ledger.close()


def calls(oracle) -> Counter:
    path = Path(oracle.calls)
    return Counter(int(line) for line in path.read_text().split()) if path.exists() else Counter()


def test_a_thousand_labels_in_the_order_of_their_frames(oracle, ledger, workers):
    frames = [chain(number) for number in range(1000)]
    watched = []
    made = label(frames, oracle, ledger, workers, watch=watched.append)
    assert (made.new, made.reasons) == (1000, {})
    for frame, labelled in zip(frames, made.frames, strict=True):
        np.testing.assert_array_equal(labelled.arrays["REF_forces"], -frame.positions)
        assert labelled.info["number"] == frame.info["number"]
    assert calls(oracle) == Counter(range(1000))
    assert {row["key"] for row in watched} == set(made.keys)
    assert {row["status"] for row in watched} == {"labelled"}


def test_workers_label_without_torch(oracle, ledger):
    with Local(1) as workers:
        label([chain(0)], oracle, ledger, workers)
        loaded = workers.submit(tasks.modules).result()
    assert "mlff.active.label" in loaded
    assert "torch" not in loaded


def test_the_same_frame_runs_once_within_a_call_and_over_calls(oracle, ledger, workers):
    frames = [chain(0), chain(1), chain(0)]
    frames[2].info["trajectory"] = "another"
    made = label(frames, oracle, ledger, workers)
    assert made.new == 2
    assert made.frames[2].info["trajectory"] == "another"
    assert label([*frames, chain(2)], oracle, ledger, workers).new == 1
    assert calls(oracle) == Counter([0, 1, 2])


def test_what_fails_is_put_in_quarantine_with_its_reason_and_the_rest_is_done(oracle, ledger, workers, tmp_path):
    fates = {1: f"hang:{tmp_path}/program", 3: "exit:7", 5: "unconverged", 7: "failed", 9: "segfault", 11: "memory"}
    frames = [chain(number, fates.get(number, "")) for number in range(20)]
    made = label(frames, oracle, ledger, workers, timeout=3.0)
    assert made.reasons == {
        1: "hung: no answer within 3 s, killed",
        3: "crashed: worker ended with status 7",
        5: "the SCF did not converge",
        7: "the program stopped early",
        9: "crashed: worker ended by signal 11",
        11: "out of memory: no room for 3 TB",
    }
    assert [number for number, frame in enumerate(made.frames) if frame is None] == sorted(fates)
    assert made.new == 14
    (program,) = written(tmp_path / "program")
    wait_until(lambda: not lives(program), 10.0)  # killed it is; when the system takes it off its list is its own affair
    statuses = Counter(row["status"] for row in ledger.rows())
    assert statuses == {"labelled": 14, "failed": 2, "crashed": 2, "hung": 1, "unconverged": 1}
    hung = ledger.row(made.keys[1])
    assert 3.0 <= hung["wall_time"] < 20.0
    assert Ledger(ledger.folder).rows() == ledger.rows()  # those of workers that were killed have their files too


def test_quarantine_is_tried_again_on_request_and_counts_attempts(oracle, ledger, workers):
    frames = [chain(0), chain(1, "unconverged"), chain(2, "exit:1")]
    label(frames, oracle, ledger, workers)
    again = label(frames, oracle, ledger, workers)
    assert (again.new, sorted(again.reasons)) == (0, [1, 2])
    assert calls(oracle) == Counter([0, 1, 2])
    before = ledger.core_hours()
    del frames[1].info["fate"]
    retried = label(frames, oracle, ledger, workers, retry_failed=True)
    assert (retried.new, retried.reasons) == (1, {2: "crashed: worker ended with status 1"})
    assert calls(oracle) == Counter([0, 1, 1, 2, 2])
    assert [ledger.row(key)["attempts"] for key in retried.keys] == [1, 2, 2]
    assert ledger.core_hours() > before
    assert sum(row["wall_time"] for row in ledger.rows()) / 3600 < ledger.core_hours()  # of both attempts


def test_a_bug_stops_at_once_and_what_was_finished_is_kept(oracle, tmp_path):
    ledger = Ledger(tmp_path / "ledger")
    frames = [chain(0), chain(1, "bug"), *(chain(number, "slow:0.2") for number in range(2, 40))]
    with Local(1) as workers, pytest.raises(KeyError, match="energy"):
        label(frames, oracle, ledger, workers)
    assert calls(oracle)[0] == 1
    assert sum(calls(oracle).values()) < 20
    assert Ledger(tmp_path / "ledger").statuses([ledger.key(frames[0], oracle)]) == {ledger.key(frames[0], oracle): "labelled"}


def test_a_label_that_another_driver_left_running_is_not_made_again(oracle, ledger, workers):
    """The ledger is opened first, then a worker of the killed driver finishes."""
    other = Ledger(ledger.folder)
    label([chain(0)], oracle, other, workers)
    assert label([chain(0)], oracle, ledger, workers).reasons == {}
    assert calls(oracle) == Counter([0])


@pytest.mark.slow
def test_killed_in_the_middle_nothing_is_repeated_and_nothing_lost(tmp_path):
    code = (
        "import sys; from mlff.active.executors import Local; from mlff.active.label import label\n"
        "from mlff.active.ledger import Ledger; from tests.active.oracles import Springs, chain\n"
        "with Local(2) as workers:\n"
        "    label([chain(number, 'slow:0.02') for number in range(100)], Springs(sys.argv[1]), Ledger(sys.argv[2]), workers)"
    )
    oracle, folder = Springs(tmp_path / "calls"), tmp_path / "ledger"
    command = [sys.executable, "-c", code, oracle.calls, str(folder)]
    for n_finished in (10, 40):
        with subprocess.Popen(command, cwd=ROOT) as driver:
            while len(list(folder.glob("*.json"))) < n_finished:
                assert driver.poll() is None, "the driver ended before it could be killed"
                time.sleep(0.005)
            driver.send_signal(signal.SIGKILL)
        wait_until(lambda pid=driver.pid: not workers_of(pid))
    finished = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.json")}
    assert 40 <= len(finished) < 100
    subprocess.run(command, cwd=ROOT, check=True)
    counts = calls(oracle)
    assert set(counts) == set(range(100))
    # of each kill, those two that ran were begun and must begin again
    assert sum(counts.values()) <= 100 + 2 * 2
    assert finished.items() <= {path.name: path.stat().st_mtime_ns for path in folder.glob("*.json")}.items()
    ledger = Ledger(folder)
    assert {row["status"] for row in ledger.rows()} == {"labelled"}
    assert len(ledger.rows()) == 100
    assert os.path.exists(folder / "ledger.sqlite")
