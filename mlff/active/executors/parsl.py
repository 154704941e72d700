"""Workers on a cluster's nodes, through Parsl: one batch job holds a block of nodes and runs many tasks on them.

A task runs in a child process of Parsl's worker, so that time-outs and crashes are as on this machine. Parsl's own
memoization, retries and cancelling are not used: the ledger knows what is done. When the driver is killed, its workers hear
nothing more, and end with all that they run: after 20 s on this machine, after 120 s on a cluster's nodes.
"""

import functools
import os
import shlex
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from pathlib import Path
from typing import Any, Self

from mlff.active.executors.base import TaskCrashed
from mlff.active.executors.child import Child, pickled, result

# s without a sign of life after which the driver, or a block of workers, counts as gone
HEARD_HERE, HEARD_ON_A_CLUSTER = 20, 120
WITH_PARENT = Path(__file__).with_name("with_parent.py")
PROGRAMS = Path(sysconfig.get_path("scripts"))  # of this environment, which may not be on PATH


class ParslWorkers:
    """Tasks go to the executor of reference calculations; `gpu` holds the other, a Workers too, for training and dynamics.

    Args:
        cpu, gpu: of `local_executor` or `slurm_executor`; gpu: None where there is none.
        folder: of Parsl's logs and batch scripts.
        threads: OpenMP and BLAS threads of each task.
    Raises:
        ImportError: Parsl is not installed.
    """

    def __init__(self, cpu, folder: str | Path, gpu=None, threads: int = 1):
        parsl = _parsl()
        executors = {label: executor for label, executor in (("cpu", cpu), ("gpu", gpu)) if executor is not None}
        for label, executor in executors.items():
            executor.label = label
        config = parsl.Config(executors=list(executors.values()), run_dir=str(folder), strategy="simple", initialize_logging=False)
        self._kernel = parsl.DataFlowKernel(config)
        self._threads = threads
        self._unfinished: set[Future] = set()
        first = _Labelled(self, cpu)
        self.n_workers, self.submit = first.n_workers, first.submit
        self.gpu = None if gpu is None else _Labelled(self, gpu)

    def close(self) -> None:
        """Cancel the batch jobs; what is queued or runs raises CancelledError."""
        for future in list(self._unfinished):
            future.cancel()
        if not self._kernel.cleanup_called:
            self._kernel.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error) -> None:
        self.close()


class _Labelled:
    """One executor of a ParslWorkers, which closes it."""

    gpu = None

    def __init__(self, workers: ParslWorkers, executor):
        self._workers = workers
        provider = executor.provider
        self.n_workers = executor.workers_per_node * provider.nodes_per_block * provider.max_blocks
        self._app = _parsl().python_app(_in_a_child, data_flow_kernel=workers._kernel, executors=[executor.label], cache=False)

    def submit(self, function: Callable, /, *args, timeout: float | None = None) -> Future:
        future: Future = Future()
        self._workers._unfinished.add(future)
        run = self._app(pickled(function, args), timeout, self._workers._threads, sys.path)
        run.add_done_callback(functools.partial(self._pass_on, future))
        return future

    def _pass_on(self, future: Future, run: Future) -> None:
        self._workers._unfinished.discard(future)
        try:
            outcome, failure = _result(run), None
        except Exception as error:
            outcome, failure = None, error
        try:
            if failure is None:
                future.set_result(outcome)
            else:
                future.set_exception(failure)
        except InvalidStateError:  # it was cancelled
            return


def _result(run: Future) -> object:
    from parsl.executors.high_throughput.errors import ManagerLost, WorkerLost

    try:
        return result(run.result())
    except (ManagerLost, WorkerLost) as error:  # the node failed, or the batch job came to the end of its time
        raise TaskCrashed(f"worker ended: {error}") from error


def _in_a_child(task: bytes, timeout: float | None, threads: int, path: Sequence[str]) -> bytes:
    """What Parsl's worker runs."""
    return _child(threads, tuple(path)).run(task, timeout)


@functools.cache
def _child(threads: int, path: tuple[str, ...]) -> Child:
    return Child(threads, path)


def local_executor(n_workers: int) -> Any:
    """Parsl's workers on this machine; n_workers: tasks at a time."""
    _parsl()
    from parsl.providers import LocalProvider

    provider = LocalProvider(init_blocks=1, min_blocks=1, max_blocks=1)
    return _high_throughput(provider, n_workers, HEARD_HERE, {"address": "127.0.0.1"})


def slurm_executor(
    workers_per_node: int,
    walltime: str,
    cores_per_worker: int = 1,
    partition: str | None = None,
    account: str | None = None,
    nodes_per_block: int = 1,
    min_blocks: int = 0,
    max_blocks: int = 1,
    gpus_per_node: int = 0,
    memory_per_node: int | None = None,
    exclusive: bool = False,
    launcher: str = "srun",
    worker_init: str = "",
    scheduler_options: str = "",
    address: str | None = None,
) -> Any:
    """Parsl's workers in Slurm batch jobs.

    Args:
        workers_per_node: tasks at a time on each node; with GPUs, each worker is given one of them.
        walltime: of a batch job, hours:minutes:seconds.
        cores_per_worker: that a task may occupy, as mpirun's.
        partition, account: as the cluster names them; None: its defaults.
        nodes_per_block: of each batch job.
        min_blocks, max_blocks: batch jobs at a time.
        gpus_per_node: 0 asks for none.
        memory_per_node: GB; None: the partition's default.
        exclusive: whether others may not use the nodes.
        launcher: srun, or single for one node without it.
        worker_init: lines of the batch script before the workers start: modules, the environment.
        scheduler_options: further #SBATCH lines.
        address: of this machine in the cluster's network; None: what its name stands for.
    Raises:
        ValueError: an unknown launcher.
    """
    parsl = _parsl()
    from parsl.addresses import address_by_hostname
    from parsl.providers import SlurmProvider

    launchers = {"srun": parsl.launchers.SrunLauncher, "single": parsl.launchers.SingleNodeLauncher}
    if launcher not in launchers:
        raise ValueError(f"launcher is {launcher!r}, expected one of {sorted(launchers)}")
    provider = SlurmProvider(
        partition=partition,
        account=account,
        walltime=walltime,
        nodes_per_block=nodes_per_block,
        cores_per_node=workers_per_node * cores_per_worker,
        gpus_per_node=gpus_per_node or None,
        mem_per_node=memory_per_node,
        init_blocks=min_blocks,
        min_blocks=min_blocks,
        max_blocks=max_blocks,
        exclusive=exclusive,
        launcher=launchers[launcher](),
        worker_init=worker_init,
        scheduler_options=scheduler_options,
    )
    more = {"address": address or address_by_hostname(), "available_accelerators": gpus_per_node, "cores_per_worker": cores_per_worker}
    return _high_throughput(provider, workers_per_node, HEARD_ON_A_CLUSTER, more)


def _high_throughput(provider, workers_per_node: int, heard: int, more: Mapping[str, Any]) -> Any:
    from parsl.executors import HighThroughputExecutor
    from parsl.executors.high_throughput.executor import DEFAULT_LAUNCH_CMD

    return HighThroughputExecutor(
        provider=provider,
        heartbeat_period=heard // 4,
        heartbeat_threshold=heard,
        max_workers_per_node=workers_per_node,
        # by their full names: they are found where the environment's programs are not on PATH
        launch_cmd=f"{shlex.quote(str(PROGRAMS))}/{DEFAULT_LAUNCH_CMD}",
        interchange_launch_cmd=[sys.executable, "-P", str(WITH_PARENT), str(os.getpid()), str(PROGRAMS / "interchange.py")],
        **more,
    )


def _parsl():
    try:
        import parsl
        import parsl.launchers
    except ImportError as error:
        raise ImportError("these workers need Parsl; install it with `pip install .[cluster]`") from error
    return parsl
