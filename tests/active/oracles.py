"""Reference codes that answer at once, or fail as a frame's info tells them; each call is a line of a file."""

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.oracle import Label, OracleError, Unconverged
from mlff.oracle.base import settings_hash

STRESS = np.array([[1, 6, 5], [6, 2, 4], [5, 4, 3]]) * 1e-3  # eV/Å³; six components that differ


class Springs:
    """Each atom on a spring to the origin: E = ½ Σ r², F = −r; its stress is a constant.

    Args:
        calls: each frame's number is appended to it when the frame is begun.
    """

    version = "1"

    def __init__(self, calls: Path | str = os.devnull):
        self.settings = {"code": "springs"}
        self.calls = str(calls)

    def label(self, atoms: Atoms) -> Label:
        with open(self.calls, "a") as file:  # a line is written at once, so that those of several processes do not mix
            file.write(f"{atoms.info.get('number')}\n")
        fail(atoms.info.get("fate", ""))
        return Label(
            energy=float(0.5 * np.sum(atoms.positions**2)),
            forces=-atoms.positions,
            stress=STRESS,
            converged=True,
            code="springs",
            version=self.version,
            settings_hash=settings_hash(self.settings),
            wall_time=0.0,
        )


def fail(fate: str) -> None:
    """A fate and, after a colon, its argument."""
    fate, _, argument = fate.partition(":")
    match fate:
        case "hang":  # in a program of its own, whose process is named in a file
            with subprocess.Popen(["sleep", "1000"]) as program:
                Path(argument).write_text(str(program.pid))
        case "slow":
            time.sleep(float(argument))
        case "exit":
            os._exit(int(argument))
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "unconverged":
            raise Unconverged("the SCF did not converge")
        case "failed":
            raise OracleError("the program stopped early")
        case "memory":
            raise MemoryError("no room for 3 TB")
        case "bug":
            raise KeyError("energy")


def chain(number: int, fate: str = "") -> Atoms:
    """Frame `number` of a family of frames that all differ."""
    rng = np.random.default_rng(number)
    atoms = Atoms("LiCl", rng.uniform(0, 2, (2, 3)), cell=[4, 5, 6], pbc=True)
    atoms.info = {"number": number} | ({"fate": fate} if fate else {})
    return atoms
