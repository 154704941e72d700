"""A reference program run in a folder: no shell, its own time-out, and nothing of it left when it or its asker is gone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlff.oracle import guard
from mlff.oracle.base import Missing, TimedOut

_NOT_FOUND = ("unable to find the specified executable", "No such file or directory")  # mpirun's words; srun's and Hydra's


@dataclass(frozen=True)
class Program:
    """A program, and how it is started.

    name: as messages call it.
    command: the program with its launcher, one word each; never a shell string.
    threads: OpenMP threads per rank.
    timeout: s for one run.
    remedy: how to get it.
    """

    name: str
    command: Sequence[str]
    threads: int
    timeout: float
    remedy: str

    def __post_init__(self):
        if isinstance(self.command, str) or not self.command:
            raise ValueError(f"`oracle.command` is {self.command!r}, expected a list, one entry per word: [mpirun, -np, '2', program]")
        object.__setattr__(self, "command", tuple(str(word) for word in self.command))

    def alone(self) -> Program:
        """Without its launcher, to be asked for its version: within a minute."""
        return replace(self, command=self.command[-1:], timeout=60.0)

    def run(self, folder: Path, *arguments: str) -> Ended:
        """Run it in a folder, to its end.

        Raises:
            Missing: there is no such program, or no such launcher.
            TimedOut: it was ended at its time-out.
        """
        if shutil.which(self.command[0]) is None:
            raise Missing(f"the program {self.command[0]!r} was not found; {self.remedy}, or name yours in `oracle.command`")
        environment = os.environ | {
            "OMP_NUM_THREADS": str(self.threads),
            # a rank started alone is still an MPI program: Open MPI refuses root unless told
            "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        }
        words = [sys.executable, "-I", "-S", guard.__file__, *self.command, *arguments]
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            # a session of its own: what kills the asker's process group leaves the guard alive to clear up
            guarded = subprocess.Popen(
                words, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=out, stderr=err, start_new_session=True
            )
            try:
                status = guarded.wait(self.timeout)
            except subprocess.TimeoutExpired as error:
                raise TimedOut(f"{self.name} did not finish within {self.timeout:g} s; raise `oracle.timeout`") from error
            finally:
                # closed, the guard ends what still runs; also when this thread is interrupted
                guarded.stdin.close()
                guarded.wait()
        said = _text(folder / "stderr")
        if status != 0 and shutil.which(self.command[-1]) is None and any(words in said for words in _NOT_FOUND):
            raise Missing(
                f"{self.command[0]} did not find the program {self.command[-1]!r}; {self.remedy}, or name yours in `oracle.command`"
            )
        return Ended(_text(folder / "stdout") or said, status)


@dataclass(frozen=True)
class Ended:
    """What a run left: its standard output (its standard error, where it wrote nothing else), and its exit status as shells give it."""

    output: str
    status: int

    @property
    def how(self) -> str:
        """In words."""
        if self.status - 128 in set(signal.Signals):
            name = signal.Signals(self.status - 128).name
            return f"was killed by {name}" + (" (by the kernel where memory ran out)" if name == "SIGKILL" else "")
        return f"exited with status {self.status}"


def tail(text: str, n_lines: int = 18) -> str:
    """The last lines that are not blank."""
    return "\n".join(line for line in text.splitlines()[-n_lines:] if line.strip())


def _text(path: Path) -> str:
    return path.read_text(errors="replace")
