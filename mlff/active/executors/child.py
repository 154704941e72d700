"""One worker process, started when its first task comes, and again after a task that cost it its life.

PyPI's process pools (concurrent.futures, pebble, loky) kill the worker at most: what it has started, such as mpirun and
its ranks, would go on computing after a time-out, and all of it after a kill -9 of the driver.
"""

import functools
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import wait
from pathlib import Path

from mlff.active.executors.base import TaskCrashed, TaskLost, TaskTimedOut

PROGRAM = Path(__file__).with_name("worker.py")
GRACE = 10.0  # s for a guard to kill all and end


def pickled(function: Callable, args: Sequence) -> bytes:
    """A task as a worker reads it."""
    return pickle.dumps(functools.partial(function, *args))


def result(answer: bytes) -> object:
    """What a task returned; raises what it raised."""
    succeeded, value = pickle.loads(answer)
    if succeeded:
        return value
    raise value


class Child:
    """Runs one task at a time in a process of its own.

    Args:
        threads: OpenMP and BLAS threads of that process; a program that it starts may be told otherwise by its oracle.
        path: where it finds modules.
    """

    def __init__(self, threads: int, path: Sequence[str]):
        self.environment = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "MKL", "OPENBLAS")}
        self.path = list(path)
        self._process: subprocess.Popen | None = None
        self._killed = False

    def run(self, task: bytes, timeout: float | None) -> bytes:
        """The answer to a task, for `result`.

        Raises:
            TaskTimedOut, TaskCrashed, or CancelledError where `kill` ended it.
        """
        # between two tasks it says nothing, unless it ended
        if self._process is not None and wait([self._tasks, self._alive], 0):
            self.close()
        if self._process is None:
            self._start()
        started = time.monotonic()
        try:
            return self._answer(task, timeout)
        except TaskLost as error:
            error.seconds = time.monotonic() - started
            raise

    def _answer(self, task: bytes, timeout: float | None) -> bytes:
        if self._killed:  # before there was a process
            self.close()
            raise CancelledError
        try:
            self._tasks.send_bytes(task)
            if wait([self._tasks, self._alive], timeout):
                return self._tasks.recv_bytes()
        except (EOFError, ConnectionError):
            raise self._end() from None
        self.close()
        raise TaskTimedOut(f"no answer within {timeout:g} s, killed")

    def kill(self) -> None:
        """End the process and all that it has started, for good; also from another thread than the one that runs a task in it."""
        self._killed = True
        if (process := self._process) is not None:
            process.terminate()

    def close(self) -> None:
        """End the process and all that it has started, and wait until it is done."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._tasks.close()
        self._alive.close()
        self._process = None

    def _start(self) -> None:
        self._tasks, tasks = Pipe()
        self._alive, alive = socket.socketpair()
        with tasks, alive:
            self._process = subprocess.Popen(
                # -P: the folder of that file holds modules of other purposes
                [sys.executable, "-P", str(PROGRAM), str(os.getpid()), str(alive.fileno()), str(tasks.fileno())],
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                pass_fds=(alive.fileno(), tasks.fileno()),
                start_new_session=True,
            )
        self._tasks.send_bytes(pickle.dumps(self.path))

    def _end(self) -> Exception:
        """How the worker ended."""
        status = self._alive.recv(16) if wait([self._alive], GRACE) else b""
        process = self._process
        self.close()
        if not status and process.returncode == 0:  # its guard was asked to end it
            return CancelledError()
        code = int(status or process.returncode)
        return TaskCrashed(f"worker ended {f'with status {code}' if code >= 0 else f'by signal {-code}'}")
