"""Where tasks run: processes of this machine, or a cluster's nodes through Parsl."""

from mlff.active.executors.base import TaskCrashed, TaskTimedOut, Workers
from mlff.active.executors.local import Local

__all__ = ["Local", "TaskCrashed", "TaskTimedOut", "Workers"]
