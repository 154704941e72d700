"""`python with_parent.py <process> <program> <words>`: the program, which ends when that process, its parent, does, even by kill -9.

Parsl's interchange goes on for ever without the driver, and its workers with it.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h; it stays through exec

if __name__ == "__main__":
    parent, *words = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):  # it ended before the line above
        sys.exit(1)
    os.execv(words[0], words)
