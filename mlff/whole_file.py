"""Files that appear whole or not at all, whenever the process is killed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to, which takes its name once all is written; `path` stays as it was where that fails."""
    unfinished = path.with_suffix(".unfinished")
    yield unfinished
    unfinished.replace(path)
