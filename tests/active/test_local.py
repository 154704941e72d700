"""Processes of this machine: answers, and what a task that goes wrong costs."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from mlff.active.executors import Local, TaskCrashed, TaskTimedOut
from tests.active import tasks
from tests.active.processes import lives, wait_until, written

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def one():
    with Local(1) as workers:
        yield workers


def test_answers_come_from_other_processes():
    with Local(2) as workers:
        sums = [workers.submit(tasks.add, number, 1) for number in range(50)]
        assert [run.result() for run in sums] == list(range(1, 51))
        processes = {run.result() for run in [workers.submit(tasks.process) for _ in range(50)]}
    assert os.getpid() not in processes
    assert len(processes) <= 2


def test_workers_load_nothing_they_were_not_asked_for(one):
    assert "numpy" not in one.submit(tasks.modules).result()


def test_threads_are_told_to_the_libraries():
    with Local(1, threads=3) as workers:
        assert workers.submit(tasks.environment, "OMP_NUM_THREADS").result() == "3"


def test_what_a_task_raises_comes_back_with_its_place(one):
    with pytest.raises(ValueError, match="found 3, expected 4") as raised:
        one.submit(tasks.refuse).result()
    assert "in refuse" in raised.value.__notes__[0]


def test_an_exception_that_cannot_travel_is_told_in_words(one):
    with pytest.raises(RuntimeError, match="TwoWords: not readable"):
        one.submit(tasks.refuse_in_two_words).result()


def test_a_task_from_nowhere_is_refused_with_the_remedy(one):
    with pytest.raises(TypeError, match=r"cannot read its task \(ModuleNotFoundError: .*must come from modules that can be imported"):
        one.submit(_from_nowhere()).result()


def _from_nowhere():
    module = type(sys)("nowhere")
    exec("def function(): pass", module.__dict__)
    sys.modules["nowhere"] = module
    return module.function


@pytest.mark.parametrize(
    ("function", "argument", "message"),
    [
        (tasks.end, 3, "worker ended with status 3"),
        (tasks.end, 0, "worker ended with status 0"),
        (sys.exit, 4, "worker ended with status 4"),
        (tasks.signal_self, signal.SIGSEGV, "worker ended by signal 11"),
        (tasks.signal_self, signal.SIGKILL, "worker ended by signal 9"),
    ],
)
def test_a_crash_costs_one_task_alone(one, function, argument, message):
    before, crash, after = one.submit(tasks.add, 1, 1), one.submit(function, argument), one.submit(tasks.add, 2, 2)
    assert (before.result(), after.result()) == (2, 4)
    with pytest.raises(TaskCrashed, match=message):
        crash.result()


def test_a_worker_killed_while_idle_is_replaced(one):
    worker = one.submit(tasks.process).result()
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: not lives(worker))
    assert one.submit(tasks.add, 1, 1).result() == 2


def test_a_task_over_its_time_is_killed_with_all_that_it_started(one, tmp_path):
    started = time.monotonic()
    hanging = one.submit(tasks.sleep_in_programs, tmp_path / "pids", timeout=2.0)
    after = one.submit(tasks.add, 2, 2)
    pids = written(tmp_path / "pids")
    assert len(pids) == 5
    assert all(map(lives, pids))
    with pytest.raises(TaskTimedOut, match="no answer within 2 s, killed") as raised:
        hanging.result()
    assert 2.0 <= raised.value.seconds < 20.0
    assert not any(map(lives, pids))
    assert after.result() == 4
    assert time.monotonic() - started < 30.0


def test_code_that_never_returns_to_python_is_killed_too(one):
    with pytest.raises(TaskTimedOut, match=r"no answer within 0\.5 s"):
        one.submit(tasks.hold_the_interpreter, 1000, timeout=0.5).result()


def test_a_crash_takes_along_what_it_started(one, tmp_path):
    crash = one.submit(tasks.sleep_in_programs, tmp_path / "pids")
    worker, *others = written(tmp_path / "pids")
    os.kill(worker, signal.SIGSEGV)
    with pytest.raises(TaskCrashed, match="signal 11"):
        crash.result()
    assert not any(map(lives, others))


def test_time_in_the_queue_does_not_count():
    with Local(1) as workers:
        first = workers.submit(time.sleep, 1.0)
        assert workers.submit(tasks.add, 1, 1, timeout=0.9).result() == 2
        assert first.result() is None


def test_closing_cancels_what_waits_and_kills_what_runs(tmp_path):
    with Local(1) as workers:
        running, waiting = workers.submit(tasks.sleep_in_programs, tmp_path / "pids"), workers.submit(tasks.add, 1, 1)
        pids = written(tmp_path / "pids")
    assert not any(map(lives, pids))
    for run in (running, waiting):
        with pytest.raises(CancelledError):
            run.result()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_a_driver_that_is_killed(tmp_path, number):
    """Also where the driver has forked a process that keeps every descriptor open."""
    code = (
        "import os, sys, time; from mlff.active.executors import Local; from tests.active import tasks\n"
        "workers = Local(2)\n"
        "runs = [workers.submit(tasks.sleep_in_programs, file) for file in sys.argv[1:3]]\n"
        "while not all(map(os.path.exists, sys.argv[1:3])): time.sleep(0.01)\n"
        "if os.fork() == 0: time.sleep(1000)\n"
        "open(sys.argv[3], 'w').close(); runs[0].result()"
    )
    files = [tmp_path / name for name in ("a", "b", "forked")]
    with subprocess.Popen([sys.executable, "-W", "ignore", "-c", code, *map(str, files)], cwd=ROOT, start_new_session=True) as driver:
        wait_until(files[2].exists)
        pids = written(files[0]) + written(files[1])
        assert len(pids) == 10
        assert all(map(lives, pids))
        driver.send_signal(number)
        driver.wait()
    try:
        wait_until(lambda: not any(map(lives, pids)))
    finally:
        os.killpg(driver.pid, signal.SIGKILL)  # what the driver forked


@pytest.mark.parametrize(("n_workers", "threads"), [(0, 1), (1, 0)])
def test_no_workers_or_threads_are_refused(n_workers, threads):
    with pytest.raises(ValueError, match=f"n_workers is {n_workers} and threads is {threads}, expected at least 1 of each"):
        Local(n_workers, threads)
