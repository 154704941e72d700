"""Where everything is kept that is computed once and could be computed again."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


def cache_folder() -> Path:
    """$MLFF_CACHE, else ~/.cache/mlff; it need not exist yet."""
    return Path(os.environ.get("MLFF_CACHE") or Path.home() / ".cache" / "mlff")


@contextlib.contextmanager
def one_at_a_time(kept: Path) -> Iterator[None]:
    """Of all processes that would make the same: the others wait, and then find it made.

    Args:
        kept: what is made; a file beside it, of its name and `.lock`, stays. Where a file system has no locks, everybody makes it.
    """
    kept.parent.mkdir(parents=True, exist_ok=True)
    with open(kept.with_name(f"{kept.name}.lock"), "w") as file:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)  # given up when the file is closed, also by a process that is killed
        yield
