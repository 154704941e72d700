"""What every executor offers, and how a task can end without an answer."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, Self


class TaskLost(RuntimeError):
    """The task ended without an answer; seconds: how long it had run, as far as that is known."""

    seconds: float = 0.0


class TaskTimedOut(TaskLost):
    """The task gave no answer in its time; it was killed with every process that it had started."""


class TaskCrashed(TaskLost):
    """The process that ran the task ended: a segmentation fault, os._exit, out of memory, a lost node."""


class Workers(Protocol):
    """Processes that run tasks. A task that hangs or crashes costs its own future alone; the others go on.

    n_workers: tasks at a time. gpu: others, for training and dynamics; None where these run in the driver.
    """

    n_workers: int
    gpu: "Workers | None"

    def submit(self, function: Callable, /, *args, timeout: float | None = None) -> Future:
        """Run function(*args) in another process; both must be picklable, and defined in a module that it can import.

        Args:
            timeout: s of running, not of waiting in the queue.
        Returns:
            its answer. Its future raises what the function raised, TaskTimedOut, or TaskCrashed.
        """

    def close(self) -> None:
        """End all workers; what is queued is cancelled, what runs is killed, and both raise CancelledError."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error) -> None: ...
