"""What runs on this machine."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def workers_of(driver: int) -> list[int]:
    """Worker processes that this one started, even if it is gone."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(word.endswith(b"/worker.py") and after == str(driver).encode() for word, after in itertools.pairwise(words)):
            found.append(int(path.parent.name))
    return found


def wait_until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"it did not come to pass in {seconds} s"
        time.sleep(0.01)


def written(file: Path) -> list[int]:
    """The numbers in a file that another process writes."""
    wait_until(file.exists)
    return [int(word) for word in file.read_text().split()]
