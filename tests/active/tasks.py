"""What the tests have worker processes do."""

import os
import subprocess
import sys
import time
from pathlib import Path


def add(a, b):
    return a + b


def environment(name):
    return os.environ.get(name)


def modules():
    return set(sys.modules)


def process():
    return os.getpid()


def driver():
    """The process that holds the worker."""
    return int(Path(f"/proc/{os.getppid()}/stat").read_text().rpartition(")")[2].split()[1])


def end(status):
    os._exit(status)


def signal_self(number):
    os.kill(os.getpid(), number)


def refuse():
    raise ValueError("found 3, expected 4")


class TwoWords(Exception):
    """Cannot be unpickled: its arguments are not those of its __init__."""

    def __init__(self, first, second):
        super().__init__(f"{first} {second}")


def refuse_in_two_words():
    raise TwoWords("not", "readable")


def sleep_in_programs(file, seconds=1000):
    """Starts `sleep` in this process group, in a group and in a session of its own, and as an orphan; writes their ids to a file."""
    programs = [
        subprocess.Popen(["sleep", str(seconds)]),
        subprocess.Popen(["sleep", str(seconds)], process_group=0),
        subprocess.Popen(["sleep", str(seconds)], start_new_session=True),
    ]
    orphan = subprocess.run(["sh", "-c", f"setsid sleep {seconds} >/dev/null & echo $!"], stdout=subprocess.PIPE, text=True).stdout
    pids = [os.getpid(), *(program.pid for program in programs), int(orphan)]
    unfinished = Path(file).with_suffix(".tmp")
    unfinished.write_text(" ".join(map(str, pids)))
    unfinished.rename(file)
    time.sleep(seconds)


def hold_the_interpreter(seconds):
    """Compiled code that lets no other thread of Python run, as a fault in a library may do."""
    import ctypes

    ctypes.PyDLL(None).sleep(seconds)
