"""The program of a worker process; it is run as a file, and needs nothing but the standard library until a task comes.

It is two processes. The first stays small and guards: when the second ends, or the program that started both is gone
or closes its end, it kills whatever is left of the second and of all that this has started. The second runs the tasks.
A guard within the process that works would not do: a segmentation fault ends it, and compiled code keeps it from running.
"""

import ctypes
import os
import pickle
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
PROC = Path("/proc")


def main(driver: int, lifeline: int, tasks: int) -> None:
    """Args: the process that started this one; descriptors of the socket that says it lives, and of the one that brings tasks."""
    # orphans come to this process, also those that left its process group, as MPI launchers' ranks do
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit())
    guard = os.getpid()
    worker = os.fork()  # of a process without threads
    if worker == 0:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:  # it ended before the line above
            os._exit(1)
        os.close(lifeline)
        os.set_inheritable(tasks, False)
        _work(Connection(tasks))
        return
    os.close(tasks)
    status = None
    with socket.socket(fileno=lifeline) as alive:
        try:
            status = _watch(driver, worker, alive)
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            _kill_descendants()
            if status is not None:
                with suppress(OSError):  # nobody may be there to read it
                    alive.sendall(str(status).encode())
    if not PROC.exists():  # no way to find those that left the process group
        os.killpg(0, signal.SIGKILL)


def _watch(driver: int, worker: int, alive: socket.socket) -> int | None:
    """The worker's exit status, negative for a signal; None where the driver is gone or wants it to end."""
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # a handler, so that the wake-up is written
    while True:
        if (status := _reap(worker)) is not None:
            return status
        ready, _, _ = select.select([alive, woken], [], [], 1.0)
        # the parent is asked too: whatever the driver forks keeps a copy of its end of the socket
        if alive in ready or os.getppid() != driver:
            return None
        if woken in ready:
            os.read(woken, 4096)


def _reap(worker: int) -> int | None:
    """Take note of all children that ended; the worker's exit status if it was among them."""
    found = None
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0] != 0:
            if ended[0] == worker:
                found = os.waitstatus_to_exitcode(ended[1])
    return found


def _kill_descendants() -> None:
    while pids := _descendants(os.getpid()):
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(-1, 0)
        _reap(-1)


def _descendants(root: int) -> list[int]:
    """Living processes that this one started, or that those started, as far as there is a /proc."""
    children: dict[int, list[int]] = {}
    for path in PROC.glob("[0-9]*/stat"):
        with suppress(OSError):
            # the name of the program comes in parentheses, and may hold anything
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            if state not in "ZX":
                children.setdefault(int(parent), []).append(int(path.parent.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found[1:]


def _work(tasks: Connection) -> None:
    try:
        sys.path[:] = pickle.loads(tasks.recv_bytes())
        while True:
            tasks.send_bytes(_answer(tasks.recv_bytes()))
    except (EOFError, OSError):  # the driver closed its end
        return


def _answer(task: bytes) -> bytes:
    """(True, what the function returned) or (False, what it raised)."""
    try:
        return pickle.dumps((True, _unpickled(task)()))
    except Exception as error:
        error.add_note("in a worker process:\n" + traceback.format_exc())
        try:
            pickle.loads(answer := pickle.dumps((False, error)))
        except Exception:
            return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
        return answer


def _unpickled(task: bytes) -> Callable[[], object]:
    try:
        return pickle.loads(task)
    except Exception as error:
        raise TypeError(
            f"a worker process cannot read its task ({type(error).__name__}: {error}); "
            "its function and arguments must come from modules that can be imported, not from the program that is run"
        ) from error


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
