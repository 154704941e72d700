"""What softness costs: structure functions of a glass of 8,000 atoms, labels, the fit, Voronoi volumes.

`python scripts/benchmarks/softness.py`: 8,040 atoms (the preset LiPS_glass_5) shaken anew for each frame, 93 features (31 distances × Li,
P, S) of every lithium; the structure functions also on several threads, with a plain numpy computation of a few atoms beside them.
"""

import argparse
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mlff.analysis.rearrangement.falk_langer import cumulative_d2_min
from mlff.structure import structure
from softness.hyperplane import Hyperplane
from softness.radial import RadialFunctions, pairs_around
from softness.voronoi import voronoi_volumes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--structure", default="LiPS_glass_5")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    atoms, rng = structure(arguments.structure), np.random.default_rng(0)
    symbols, cell = atoms.get_chemical_symbols(), atoms.cell.array
    ions = np.flatnonzero(np.array(symbols) == "Li")
    frames = atoms.positions + 0.1 * rng.normal(size=(arguments.frames, len(atoms), 3))
    functions = RadialFunctions(("Li", "P", "S"))
    of_frame = lambda positions: functions.of_frame(positions, cell, symbols, ions)  # noqa: E731
    features = of_frame(frames[0])  # compiles
    print(f"{len(atoms)} atoms, {len(ions)} Li, {arguments.frames} frames, {features.shape[1]} features, r_max {functions.r_max:g} Å")
    print(f"{'part':46}{'s':>9}{'µs per ion and frame':>24}")
    for n in sorted({1, arguments.threads}):
        with ThreadPoolExecutor(n) as pool:
            seconds = timed(lambda pool=pool: list(pool.map(of_frame, frames)))
        told(f"structure functions, {n} thread{'s' * (n > 1)}", seconds, len(frames) * len(ions))
    few = ions[:50]
    seconds = timed(lambda: plainly(functions, frames[0], cell, symbols, few))
    told("structure functions of 50 Li in numpy", seconds, len(few))
    rows = np.concatenate(list(map(of_frame, frames[:8])))
    mobile = rows[:, :31].sum(1) + rng.normal(size=len(rows)) > np.median(rows[:, :31].sum(1))
    groups = np.tile(np.arange(len(ions)), 8)
    told(f"fit of {len(rows):,} rows, C from 6 in 5 folds", timed(lambda: Hyperplane().fit(rows, mobile, groups)), len(rows))
    short, cells = frames[:5], np.broadcast_to(cell, (5, 3, 3))
    told("D²_min of 4 increments", timed(lambda: cumulative_d2_min(short, cells, 5.0, ions)), 4 * len(ions))
    told("Voronoi volumes of a frame", timed(lambda: voronoi_volumes(frames[0], cell, ions)), len(ions))
    memory, held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, frames.nbytes / 2**20
    print(f"largest memory: {memory:.0f} MiB, {held:.0f} of them the frames")


def plainly(functions: RadialFunctions, positions: np.ndarray, cell: np.ndarray, symbols: list[str], ions: np.ndarray) -> np.ndarray:
    """The definition, pair by pair."""
    rows, neighbours, distances = pairs_around(positions, cell, symbols, ions, functions.neighbour_species, functions.r_max)
    found = np.zeros((len(ions), len(functions.neighbour_species), functions.n_rungs))
    place = {symbol: k for k, symbol in enumerate(functions.neighbour_species)}
    for row, neighbour, r in zip(rows, neighbours, distances, strict=True):
        found[row, place[symbols[neighbour]]] += np.exp(-((r - functions.rungs) ** 2) / (2 * functions.delta**2))
    return found


def timed(work) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def told(name: str, seconds: float, n: int) -> None:
    print(f"{name:46}{seconds:9.2f}{1e6 * seconds / n:24.2f}", flush=True)


if __name__ == "__main__":
    main()
