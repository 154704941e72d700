"""Seconds and peak memory of reading a data set and caching its neighbours, from a list of frames and from a store on disk.

`python scripts/benchmarks/read_and_cache.py $MLFF_DATA/lgps_pbe --r-max 6.0`; each step runs in a process of its own, so that
its peak memory is its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STEPS = (
    "start",
    "read to list",
    "write store",
    "read store",
    "neighbours of list",
    "neighbours of store",
    "neighbours cached",
    "random 500",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", help="any readable data set")
    parser.add_argument("--r-max", type=float, default=6.0, help="cutoff of the neighbours, Å")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        print(json.dumps(run(arguments.step, arguments.path, arguments.r_max, Path(arguments.work))))
        return
    with tempfile.TemporaryDirectory() as work:
        print(f"{'step':22} {'seconds':>8} {'peak memory, MiB':>17}  result")
        for step in STEPS:
            command = [sys.executable, __file__, arguments.path, "--r-max", str(arguments.r_max), "--step", step, "--work", work]
            seconds, peak, result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            print(f"{step:22} {seconds:8.2f} {peak:17.0f}  {result}", flush=True)


def run(step: str, path: str, r_max: float, work: Path) -> tuple[float, float, str]:
    """(seconds, peak resident memory in MiB, a word about the result) of one step."""
    import numpy as np

    from mlff.data import FrameStore, cached_neighbors, iter_frames, read_frames, write_store
    from mlff.geometry import neighbor_list

    neighbor_list(np.zeros((1, 3)), np.eye(3), np.ones(3, bool), 1.0)  # loads the library
    frames = read_frames(path) if step == "neighbours of list" else None
    begin = time.perf_counter()
    if step == "read to list":
        result = f"{len(read_frames(path)):,} frames"
    elif step == "write store":
        result = f"{len(write_store(work / 'store', iter_frames(path))):,} frames"
    elif step == "read store":
        result = f"{sum(len(frame) for frame in FrameStore(work / 'store')):,} atoms"
    elif step == "random 500":
        store, order = FrameStore(work / "store"), np.random.default_rng(0)
        result = f"{sum(len(store[k]) for k in order.integers(len(store), size=500)):,} atoms"
    elif step.startswith("neighbours"):
        folder = work / ("list" if step.endswith("list") else "stored")
        table = cached_neighbors(frames or FrameStore(work / "store"), r_max, folder)
        size = sum(file.stat().st_size for file in folder.rglob("*.npy"))
        result = f"{table.offsets[-1]:,} edges, {size / 2**20:.0f} MiB on disk"
    else:
        result = "imports alone"
    seconds = time.perf_counter() - begin
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, result


if __name__ == "__main__":
    main()
