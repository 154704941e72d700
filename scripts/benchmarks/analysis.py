"""Time and memory of the observables of a trajectory, on a random walk held in memory.

`python scripts/benchmarks/analysis.py --atoms 1000 --frames 4000`: ns of processor time per ion and frame for the mean squared
displacement, with all atoms followed, half of them, drift removed and a fluctuating cell; ms per frame for g(r). The least of
`--rounds` counts.
"""

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np

from mlff.analysis import MeanSquareDisplacement, PairDistributionAccumulator
from mlff.trajectory import Frames

DENSITY = 0.05  # atoms/Å³, as in a sulphide


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, default=1000)
    parser.add_argument("--frames", type=int, default=4000)
    parser.add_argument("--chunk", type=int, default=500, help="frames per update")
    parser.add_argument("--pair-frames", type=int, default=10, help="frames of g(r)")
    parser.add_argument("--r-max", type=float, default=8.0, help="of g(r), Å")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    side = (given.atoms / DENSITY) ** (1 / 3)
    walk = side * rng.random((given.atoms, 3)) + 0.05 * rng.normal(size=(given.frames, given.atoms, 3)).cumsum(0)
    fixed = np.broadcast_to(side * np.eye(3), (given.frames, 3, 3))
    breathing = fixed * (1 + 0.01 * rng.normal(size=(given.frames, 1, 1)))
    every, second = np.arange(given.atoms), np.arange(0, given.atoms, 2)
    cases = {
        "MSD, all ions": (lambda: MeanSquareDisplacement(every, 1.0), fixed, len(every), given.chunk),
        "MSD, every second ion": (lambda: MeanSquareDisplacement(second, 1.0), fixed, len(second), given.chunk),
        "MSD, drift removed": (lambda: MeanSquareDisplacement(every, 1.0, np.ones(given.atoms)), fixed, len(every), given.chunk),
        "MSD, fluctuating cell": (lambda: MeanSquareDisplacement(every, 1.0), breathing, len(every), given.chunk),
        "MSD, frame by frame": (lambda: MeanSquareDisplacement(every, 1.0), fixed, len(every), 1),
    }
    print(f"{given.atoms} atoms, {given.frames} frames")
    for name, (make, cells, ions, chunk) in cases.items():
        seconds = min(timed(make, walk, cells, chunk) for _ in range(given.rounds))
        print(f"{name:24} {1e9 * seconds / (ions * given.frames):8.1f} ns per ion and frame", flush=True)
    few = slice(0, given.pair_frames)
    seconds = min(
        timed(lambda: PairDistributionAccumulator(["Li"] * given.atoms, given.r_max), walk[few], fixed[few], given.pair_frames)
        for _ in range(given.rounds)
    )
    print(f"{'g(r)':24} {1e3 * seconds / given.pair_frames:8.1f} ms per frame")
    own = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024) - walk.nbytes / 2**20
    print(f"{'memory but for the walk':24} {own:8.0f} MiB")


def timed(make: Callable[[], object], positions: np.ndarray, cells: np.ndarray, chunk: int) -> float:
    """Seconds of processor time to take in all frames."""
    accumulator, steps = make(), np.arange(len(positions))
    begin = time.process_time()
    for first in range(0, len(positions), chunk):
        part = slice(first, first + chunk)
        accumulator.update(Frames(steps[part], positions[part], cells[part]))
    accumulator.result()
    return time.process_time() - begin


if __name__ == "__main__":
    main()
