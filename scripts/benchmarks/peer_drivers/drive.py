"""What the drivers of all codes share: a frame and settings in, one line of JSON out.

A driver runs in the environment of the code that it drives, where this project is not installed: numpy and ASE are all that is used here.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.io import read

from .steps import timed_steps

WARM_UP = 6  # steps: compilers specialise themselves in the first few, as the number of pairs changes
PROPERTIES = ["energy", "forces", "stress"]


@dataclass(frozen=True)
class Driven:
    """A code that is ready to run.

    Args:
        calculator: with random weights.
        neighbours: what finds the neighbours, and when, for a reader.
        dtype: of the network.
        versions: of the packages that decide the speed.
        arrange: finds neighbours and builds the model's input, where the code can do that apart.
    """

    calculator: Calculator
    neighbours: str
    dtype: str
    versions: dict[str, str]
    arrange: Callable[[Atoms], object] | None = None


def drive(build: Callable[[dict, Atoms], Driven]) -> None:
    """Run the steps that the first argument asks for: a JSON object with `frame` (a file), `options` (the model's), `mode`, `r_max`
    (Å), `dtype`, `threads`, `seconds`, `least` (steps) and `cache` (a folder for what is compiled once)."""
    request = json.loads(sys.argv[1])
    atoms = read(request["frame"])
    driven = build(request, atoms)

    def evaluate(positions: np.ndarray) -> None:
        atoms.positions = positions
        driven.calculator.calculate(atoms, PROPERTIES, ["positions"])

    timed_steps(evaluate, atoms.positions, 0.0, WARM_UP)
    forget_peak()
    begin = time.process_time()
    seconds = timed_steps(evaluate, atoms.positions, request["seconds"], request["least"])
    busy = (time.process_time() - begin) / len(seconds)  # of all threads: other people's programs hardly change it
    peak = peak_memory()
    results = driven.calculator.results
    if not (np.isfinite(results["forces"]).all() and np.ptp(results["forces"]) > 0 and np.isfinite(results["stress"]).all()):
        raise SystemExit("the forces or the stress are not finite, or the forces are all alike: what was timed is no force field")
    found = None
    if driven.arrange:
        found = float(np.mean(timed_steps(lambda positions: driven.arrange(at(atoms, positions)), atoms.positions, 0.0)[1:]))
    answer = {
        "us_per_atom": 1e6 * float(np.mean(seconds)) / len(atoms),
        "us_per_atom_cpu": 1e6 * busy / len(atoms),
        "us_per_atom_neighbours": None if found is None else 1e6 * found / len(atoms),
        "steps": len(seconds),
        "peak_mb": peak / 1e6,
        "neighbours": driven.neighbours,
        "dtype": driven.dtype,
        "versions": driven.versions,
    }
    print("\n" + json.dumps(answer))  # on a line of its own: libraries print too


def at(atoms: Atoms, positions: np.ndarray) -> Atoms:
    atoms.positions = positions
    return atoms


def peak_memory() -> int:
    """Bytes that this process held at most, libraries included."""
    with open("/proc/self/status") as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


def forget_peak() -> None:
    """From here on VmHWM counts anew: what a compiler held before is not the price of a step."""
    if os.access("/proc/self/clear_refs", os.W_OK):
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
