"""Stand-ins for reference programs: small Python scripts that look at their inputs, and answer with stored outputs."""

import sys
from pathlib import Path


def program(path: Path, body: str) -> list[str]:
    """A `command` whose program runs these lines of Python in its folder."""
    path.write_text(f"#!{sys.executable} -IS\nimport os, pathlib, shutil, signal, subprocess, sys, time\n{body}\n")
    path.chmod(0o755)
    return [str(path)]


def alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
