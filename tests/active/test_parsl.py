"""Parsl's workers on this machine, for real; its batch scripts for Slurm as far as they can be read without one."""

import signal
import subprocess
import sys
from concurrent.futures import CancelledError
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import hydra
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from mlff.active.executors import TaskCrashed, TaskTimedOut
from mlff.active.executors.parsl import HEARD_HERE, ParslWorkers, local_executor, slurm_executor
from mlff.active.label import label
from mlff.active.ledger import Ledger
from tests.active import tasks
from tests.active.oracles import Springs, chain
from tests.active.processes import lives, wait_until, written

ROOT = Path(__file__).parents[2]
needs_parsl = pytest.mark.skipif(find_spec("parsl") is None, reason="Parsl is not installed (pip install .[cluster])")
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


def settings(name: str) -> dict:
    """Of conf/executor."""
    with hydra.initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        return OmegaConf.to_container(hydra.compose(f"executor/{name}").executor)


def slurm_settings(label: str) -> dict:
    found = settings("parsl_slurm")[label]
    assert found.pop("_target_") == "mlff.active.executors.parsl.slurm_executor"
    return found


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    with instantiate(settings("parsl_local") | {"folder": tmp_path_factory.mktemp("parsl")}) as workers:
        yield workers


@needs_parsl
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


@needs_parsl
@pytest.mark.slow
def test_a_thousand_labels(workers, tmp_path):
    oracle, ledger = Springs(tmp_path / "calls"), Ledger(tmp_path / "ledger")
    made = label([chain(number, "unconverged" if number == 7 else "") for number in range(1000)], oracle, ledger, workers)
    assert (made.new, made.reasons) == (999, {7: "the SCF did not converge"})
    assert len(Path(oracle.calls).read_text().split()) == 1000


@needs_parsl
@pytest.mark.slow
def test_closing_cancels_what_waits_and_kills_what_runs(tmp_path):
    with ParslWorkers(local_executor(1), tmp_path / "parsl") as workers:
        running, waiting = workers.submit(tasks.sleep_in_programs, tmp_path / "pids"), workers.submit(tasks.add, 1, 1)
        pids = written(tmp_path / "pids")
    wait_until(lambda: not any(map(lives, pids)))
    for run in (running, waiting):
        with pytest.raises(CancelledError):
            run.result()


@needs_parsl
@pytest.mark.slow
def test_nothing_outlives_for_long_a_driver_that_is_killed(tmp_path):
    code = (
        "import sys; from mlff.active.executors.parsl import HEARD_HERE, ParslWorkers, local_executor; from tests.active import tasks\n"
        "ParslWorkers(local_executor(1), sys.argv[1]).submit(tasks.sleep_in_programs, sys.argv[2]).result()"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "parsl"), str(tmp_path / "pids")], cwd=ROOT
    ) as driver:
        pids = written(tmp_path / "pids")
        assert all(map(lives, pids))
        driver.kill()
    wait_until(lambda: not any(map(lives, pids)), seconds=3.0 * HEARD_HERE)


def test_without_parsl_the_package_is_there_and_its_workers_name_the_extra():
    code = (
        "import sys; sys.modules['parsl'] = None\n"  # as if it were not installed
        "import mlff.active, mlff.active.label, mlff.active.executors.parsl as module\n"
        "try: module.local_executor(1)\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "these workers need Parsl; install it with `pip install .[cluster]`\n"


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """A folder with stand-ins for Slurm's programs first on PATH: sbatch keeps the script and runs it at once; a job runs until scancel."""
    programs = {
        "sbatch": 'cp "$1" "$HERE/script"; setsid bash "$1" >"$HERE/out" 2>&1 & echo $! >"$HERE/pid"; echo "Submitted batch job 7"',
        "squeue": 'echo "7 R"',
        "scancel": 'kill -- -$(cat "$HERE/pid"); touch "$HERE/cancelled"',
        "sacct": "exit 1",
    }
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/bash\nHERE={tmp_path}\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path


@needs_parsl
@pytest.mark.slow
def test_the_batch_script_asks_for_what_is_set_and_starts_workers_that_label(slurm, tmp_path):
    cpu = slurm_settings("cpu")
    # the launcher that needs no srun, on this machine's own address
    cpu |= {"partition": "batch", "account": "p123", "launcher": "single", "address": "127.0.0.1", "max_blocks": 1}
    cpu |= {
        "workers_per_node": 2,
        "memory_per_node": 64,
        "worker_init": "export FROM_WORKER_INIT=yes",
        "scheduler_options": "#SBATCH --hint=x",
    }
    with ParslWorkers(slurm_executor(**cpu), tmp_path / "parsl") as workers:
        assert workers.n_workers == 2
        assert workers.submit(tasks.environment, "FROM_WORKER_INIT").result() == "yes"
        with closing(Ledger(tmp_path / "ledger")) as ledger:
            assert label([chain(number) for number in range(5)], Springs(), ledger, workers).new == 5
    assert (slurm / "cancelled").exists()
    lines = (slurm / "script").read_text().splitlines()
    assert lines[0] == "#!/bin/bash"
    asked = {line for line in lines if line.startswith("#SBATCH")}
    assert {
        "#SBATCH --nodes=1",
        "#SBATCH --time=1440",
        "#SBATCH --ntasks-per-node=1",
        "#SBATCH --cpus-per-task=8",
        "#SBATCH --mem=64g",
        "#SBATCH --exclusive",
        "#SBATCH --partition=batch",
        "#SBATCH --account=p123",
        "#SBATCH --hint=x",
    } <= asked
    assert not any("gpus" in line for line in asked)
    command = next(line for line in lines if "process_worker_pool.py" in line)
    assert " -c 4 " in command


@needs_parsl
def test_gpus_are_asked_for_and_given_one_to_a_worker(slurm, tmp_path):
    executor = slurm_executor(**slurm_settings("gpu") | {"partition": "accelerated"})
    assert executor.available_accelerators == ["0", "1", "2", "3"]
    executor.provider.script_dir = str(tmp_path)
    executor.provider.submit("true", tasks_per_node=1)
    lines = (slurm / "script").read_text().splitlines()
    assert {"#SBATCH --gpus-per-node=4", "#SBATCH --partition=accelerated", "#SBATCH --cpus-per-task=32"} <= set(lines)
    assert any(line.startswith("srun ") for line in lines)


@needs_parsl
def test_an_unknown_launcher_is_refused():
    with pytest.raises(ValueError, match="launcher is 'ssh', expected one of"):
        slurm_executor(1, "1:00:00", launcher="ssh")


@needs_parsl
@pytest.mark.slow
def test_the_two_executors_have_workers_of_their_own(tmp_path):
    with ParslWorkers(local_executor(1), tmp_path, gpu=local_executor(1)) as workers:
        first, second = (each.submit(tasks.driver).result() for each in (workers, workers.gpu))
        assert (workers.submit(tasks.driver).result(), workers.gpu.submit(tasks.driver).result()) == (first, second)
        assert first != second
