"""Parsl's workers on this machine, for real; its batch scripts for Slurm as far as they can be read without one."""

import signal
import subprocess
import sys
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from mlff.active.executors import TaskCrashed, TaskTimedOut
from mlff.active.executors.parsl import ParslWorkers, local_executor
from mlff.active.label import label
from mlff.active.ledger import Ledger
from tests.active import tasks
from tests.active.oracles import Springs, chain
from tests.active.processes import lives, wait_until, written

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    pytest.importorskip("parsl", reason="Parsl is not installed (pip install .[cluster])")
    with ParslWorkers([local_executor("cpu", 2)], tmp_path_factory.mktemp("parsl")) as workers:
        yield workers


@pytest.mark.slow
def test_a_task_that_fails_fails_alone_as_with_local_processes(workers, tmp_path):
    assert workers.n_workers == 2
    crash, killed, refused = (
        workers.submit(function, *args) for function, *args in [(tasks.end, 3), (tasks.signal_self, signal.SIGSEGV), (tasks.refuse,)]
    )
    hanging = workers.submit(tasks.sleep_in_programs, tmp_path / "pids", timeout=3.0)
    sums = [workers.submit(tasks.add, number, 1) for number in range(20)]
    pids = written(tmp_path / "pids")
    with pytest.raises(TaskCrashed, match="worker ended with status 3"):
        crash.result()
    with pytest.raises(TaskCrashed, match="worker ended by signal 11"):
        killed.result()
    with pytest.raises(ValueError, match="found 3, expected 4"):
        refused.result()
    with pytest.raises(TaskTimedOut, match="no answer within 3 s, killed") as raised:
        hanging.result()
    assert raised.value.seconds >= 3.0
    assert not any(map(lives, pids))
    assert [run.result() for run in sums] == list(range(1, 21))


@pytest.mark.slow
def test_a_thousand_labels(workers, tmp_path):
    oracle, ledger = Springs(tmp_path / "calls"), Ledger(tmp_path / "ledger")
    made = label([chain(number, "unconverged" if number == 7 else "") for number in range(1000)], oracle, ledger, workers)
    assert (made.new, made.reasons) == (999, {7: "the SCF did not converge"})
    assert len(Path(oracle.calls).read_text().split()) == 1000


@pytest.mark.slow
def test_closing_cancels_what_waits_and_kills_what_runs(tmp_path):
    pytest.importorskip("parsl", reason="Parsl is not installed (pip install .[cluster])")
    with ParslWorkers([local_executor("cpu", 1)], tmp_path / "parsl") as workers:
        running, waiting = workers.submit(tasks.sleep_in_programs, tmp_path / "pids"), workers.submit(tasks.add, 1, 1)
        pids = written(tmp_path / "pids")
    wait_until(lambda: not any(map(lives, pids)))
    for run in (running, waiting):
        with pytest.raises(CancelledError):
            run.result()


def test_without_parsl_the_package_is_there_and_its_workers_name_the_extra():
    code = (
        "import sys; sys.modules['parsl'] = None\n"  # as if it were not installed
        "import mlff.active, mlff.active.label, mlff.active.executors.parsl as module\n"
        "try: module.local_executor('cpu', 1)\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "these workers need Parsl; install it with `pip install .[cluster]`\n"
