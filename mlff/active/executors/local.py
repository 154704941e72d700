"""Processes of this machine."""

import queue
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from mlff.active.executors.child import Child, pickled, result


class Local:
    """`n_workers` processes on this machine; none of them, nor what they start, outlives the program that holds this object.

    Args:
        n_workers: tasks at a time.
        threads: OpenMP and BLAS threads of each process.
    """

    gpu = None

    def __init__(self, n_workers: int = 1, threads: int = 1):
        if n_workers < 1 or threads < 1:
            raise ValueError(f"n_workers is {n_workers} and threads is {threads}, expected at least 1 of each")
        self.n_workers = n_workers
        self._children = [Child(threads, sys.path) for _ in range(n_workers)]
        self._idle: queue.SimpleQueue[Child] = queue.SimpleQueue()
        for child in self._children:
            self._idle.put(child)
        self._threads = ThreadPoolExecutor(n_workers, thread_name_prefix="worker")

    def submit(self, function: Callable, /, *args, timeout: float | None = None) -> Future:
        return self._threads.submit(self._run, function, args, timeout)

    def _run(self, function: Callable, args: tuple, timeout: float | None) -> object:
        child = self._idle.get()
        try:
            return result(child.run(pickled(function, args), timeout))
        finally:
            self._idle.put(child)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        for child in self._children:
            child.kill()
        self._threads.shutdown(wait=True)
        for child in self._children:
            child.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error) -> None:
        self.close()
