"""What the machinery of labelling costs: trivial labels through each executor, `python scripts/benchmarks/labelling.py`."""

import argparse
import tempfile
import time
from pathlib import Path

from ase import Atoms
from ase.calculators.lj import LennardJones

from mlff.active.executors import Local, Workers
from mlff.active.executors.parsl import ParslWorkers, local_executor
from mlff.active.label import label
from mlff.active.ledger import Ledger
from mlff.oracle.ase_calculator import ASECalculator


def measure(name: str, make, n_labels: int, folder: Path) -> None:
    """Print the s that the workers take to start, with their first label, the s of all other labels, and the ms of each; overhead is what a
    worker spends on a label, less what the oracle takes of it."""
    oracle = ASECalculator(LennardJones, code="ase-lj", version="1", settings={})
    frames = [Atoms("Ar2", [[0, 0, 0], [0, 0, 1 + number * 1e-4]], cell=[9, 9, 9], pbc=True) for number in range(n_labels + 1)]
    started = time.perf_counter()
    with make() as workers:
        _label(frames[:1], oracle, folder / "first", workers)
        begun = time.perf_counter()
        wall_time = _label(frames[1:], oracle, folder / "labels", workers)
        seconds = time.perf_counter() - begun
        n_workers = workers.n_workers
    overhead = (seconds * n_workers - wall_time) / n_labels
    times = [1e3 * seconds / n_labels, 1e3 * wall_time / n_labels, 1e3 * overhead]
    print(f"{name:<8}{n_workers:>8}{begun - started:>12.2f}{seconds:>12.2f}" + "".join(f"{each:>14.2f}" for each in times))


def _label(frames: list[Atoms], oracle: ASECalculator, folder: Path, workers: Workers) -> float:
    """s that the oracle took, summed over all workers."""
    ledger = Ledger(folder)
    made = label(frames, oracle, ledger, workers)
    if made.reasons:
        raise RuntimeError(f"{len(made.reasons)} labels failed, the first so: {next(iter(made.reasons.values()))}")
    return sum(row["wall_time"] for row in ledger.rows())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    n_labels, n_workers = arguments.labels, arguments.workers
    print(f"{n_labels} labels of two atoms by Lennard-Jones")
    print(f"{'':<8}{'workers':>8}{'start, s':>12}{'all, s':>12}{'label, ms':>14}{'oracle, ms':>14}{'overhead, ms':>14}")
    with tempfile.TemporaryDirectory() as folder:
        measure("local", lambda: Local(n_workers), n_labels, Path(folder) / "local")
        measure("parsl", lambda: ParslWorkers(local_executor(n_workers), Path(folder) / "run"), n_labels, Path(folder) / "parsl")


if __name__ == "__main__":
    main()
