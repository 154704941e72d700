"""µs per atom and step of energy, forces and stress, neighbours included, against the number of atoms.

`python scripts/benchmarks/inference.py --models lean lean2 --sizes S --members 1 4 --atoms 64 1000 32768 --threads 1 2`
Each row runs in a process of its own, so that its threads and peak memory are its own. Atoms take random steps as in MD at 600 K,
1 fs: neighbours are found anew when the skin asks for it. Writes JSON, and with --plot a picture.
"""

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["lean", "lean2"])
    parser.add_argument("--sizes", nargs="+", default=["S"])
    parser.add_argument("--members", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--atoms", nargs="+", type=int, default=[64, 250, 1000, 4000, 32768])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    parser.add_argument("--skin", type=float, default=0.5, help="Å")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each row")
    parser.add_argument("--json", type=Path, default=Path("inference.json"))
    parser.add_argument("--plot", nargs="?", type=Path, const=Path("inference.png"), help="PNG: µs per atom against atoms")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.row:
        print(json.dumps(measure(json.loads(arguments.row))))
        return
    rows = []
    print(f"{'model':6} {'size':4} {'members':>7} {'threads':>7} {'atoms':>6} {'µs/atom/step':>13} {'ms/step':>9} {'KB/atom':>8}")
    threads = arguments.threads if arguments.device == "cpu" else [1]
    for model, size, atoms, members, n in itertools.product(arguments.models, arguments.sizes, arguments.atoms, arguments.members, threads):
        row = {"model": model, "size": size, "members": members, "threads": n, "atoms": atoms}
        row |= {"device": arguments.device, "dtype": arguments.dtype, "skin": arguments.skin, "seconds": arguments.seconds}
        command = [sys.executable, __file__, "--row", json.dumps(row)]
        environment = os.environ | {"OMP_NUM_THREADS": str(n)}
        rows.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout))
        r = rows[-1]
        print(
            f"{model:6} {size:4} {members:7d} {n:7d} {atoms:6d} {r['us_per_atom']:13.2f} {r['ms_per_step']:9.3f} "
            f"{r['bytes_per_atom'] / 1e3:8.1f}",
            flush=True,
        )
    arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    if arguments.plot:
        sys.path.insert(0, str(Path(__file__).parents[2]))
        from scripts.benchmarks.picture import size_picture

        size_picture(rows, arguments.plot)


def measure(row: dict) -> dict:
    """The median step of one row."""
    import numpy as np
    import torch

    sys.path.insert(0, str(Path(__file__).parents[2]))

    from mlff.engine import Engine
    from mlff.engine.verlet import VerletList
    from scripts.benchmarks.peer_drivers.steps import timed_steps
    from scripts.benchmarks.systems import lgps, untrained

    torch.set_num_threads(row["threads"])
    device = torch.device(row["device"])
    committee = untrained(row["model"], row["size"], row["members"], getattr(torch, row["dtype"])).to(device)
    atoms = lgps(row["atoms"])
    species = torch.tensor([committee.species.index(s) for s in atoms.symbols])
    neighbors = VerletList(species, len(committee.species), atoms.pbc, committee.r_max, skin=row["skin"], device=device)
    engine = Engine(committee.stacked)
    cell, before = atoms.cell.array, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def evaluate(positions: np.ndarray) -> None:
        engine.evaluate(neighbors.hood(positions, cell))
        if device.type == "cuda":
            torch.cuda.synchronize()

    seconds = timed_steps(evaluate, atoms.positions, row["seconds"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    used = torch.cuda.max_memory_allocated() if device.type == "cuda" else 1024 * peak
    # the mean, not the median: what finds the neighbours anew belongs to the price; the first two warm up
    step = float(np.mean(seconds[2:])) if neighbors.n_rebuilds > 1 else float(np.median(seconds[2:]))
    hood = neighbors.hood(atoms.positions, cell)
    return row | {
        "us_per_atom": 1e6 * step / len(atoms),
        "ms_per_step": 1e3 * step,
        "steps": len(seconds),
        "rebuilds": neighbors.n_rebuilds,
        "neighbours": float(hood.filled.sum()) / len(atoms),
        "slots": list(hood.slots_per_species),
        "bytes_per_atom": used / len(atoms),
    }


if __name__ == "__main__":
    main()
