"""Run a program that ends, with all it started, when its asker does: `python guard.py program word …`.

The asker holds this process's standard input open. When that closes (the asker wants the end, or died, by kill -9 too), the program
gets a second to stop its own ranks, and then everything of this session is killed. One process group would not be enough: Open MPI's
mpirun gives each rank a group of its own. It imports the standard library alone, so that it starts at once.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

GRACE = 1.0  # s


def main(command: list[str]) -> None:
    """Exits with the program's status, or 128 + the signal that ended it, as shells say it."""
    if os.getsid(0) != os.getpid():
        os.setsid()  # whoever starts this in his own session must not end with it
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=end_when_abandoned, args=(program,), daemon=True).start()
    status = program.wait()
    end_session()
    os._exit(status if status >= 0 else 128 - status)


def end_when_abandoned(program: subprocess.Popen) -> None:
    while os.read(0, 1):
        pass
    program.terminate()
    try:
        program.wait(GRACE)
    except subprocess.TimeoutExpired:
        end_session()


def end_session() -> None:
    """Kill every other process of this session; without /proc, of this process group."""
    if not Path("/proc/self/stat").exists():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
        return
    for _ in range(1000):  # 10 s: a process that hangs in the kernel cannot be killed, and is not waited for
        found = [pid for pid in session() if pid != os.getpid()]
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def session() -> list[int]:
    """The living processes of this session."""
    own, found = os.getsid(0), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # after the last bracket of the name: state, parent, group, session
                state, _, _, number = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(number) == own and state not in "ZX":
                found.append(int(entry.name))
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
