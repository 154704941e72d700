"""How much of this machine an evaluation uses: its floating-point operations against what a large matrix product reaches.

`python scripts/benchmarks/roofline.py --models lean lean2 --members 1 4 --threads 1`. Operations are counted from the formulas
(a multiplication with its addition is two): what the mathematics needs, not what the code repeats, so that the share is a lower bound
of how busy the machine is. The machine's own rates are measured in the same process, before and after.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from mlff.engine import Engine
from mlff.engine.verlet import VerletList
from mlff.model.invariant_model import InvariantModel
from mlff.model.lean2 import Lean2
from mlff.nn.node_block import NodeBlock
from mlff.nn.self_coupling import self_coupling

sys.path.insert(0, str(Path(__file__).parents[2]))
from scripts.benchmarks.systems import lgps, untrained

BASIS = 80  # operations of an edge's radial functions and harmonics, about
HOP_USES = 3  # of each φ and hop channel: the density, ∂E/∂h and the pull


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["lean", "lean2"])
    parser.add_argument("--members", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--size", default="S")
    parser.add_argument("--atoms", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, default=Path("roofline.json"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows, peaks = [], [flop_rate()]
    for model in arguments.models:
        for members in arguments.members:
            rows.append(measure(model, members, arguments))
            peaks.append(flop_rate())
    peak, copied = max(peaks), copy_rate()
    print(f"matrix product {peak / 1e9:.0f} GF/s (from {min(peaks) / 1e9:.0f} to {max(peaks) / 1e9:.0f}), copy {copied / 1e9:.1f} GB/s")
    print(f"{'model':6} {'members':>7} {'kflop/atom':>11} {'µs/atom':>8} {'GF/s':>6} {'of peak':>8}")
    for row in rows:
        rate = row["flop_per_atom"] / row["us_per_atom"] * 1e6
        row |= {"flop_rate": rate, "share": rate / peak, "peak": peak, "copy": copied}
        print(
            f"{row['model']:6} {row['members']:7d} {row['flop_per_atom'] / 1e3:11.0f} {row['us_per_atom']:8.2f} "
            f"{rate / 1e9:6.1f} {100 * rate / peak:7.0f}%"
        )
    arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


def measure(name: str, members: int, arguments: argparse.Namespace) -> dict:
    """The median evaluation with known neighbours, without a skin."""
    committee, atoms = untrained(name, arguments.size, members, torch.float32), lgps(arguments.atoms)
    species = torch.tensor([committee.species.index(s) for s in atoms.symbols])
    hood = VerletList(species, len(committee.species), atoms.pbc, committee.r_max, skin=0.0).hood(atoms.positions, atoms.cell.array)
    engine, seconds = Engine(committee.stacked), []
    for _ in range(25):
        begin = time.perf_counter()
        engine.evaluate(hood)
        seconds.append(time.perf_counter() - begin)
    n_edges = float(hood.filled.sum()) / len(atoms)
    return {
        "model": name,
        "members": members,
        "us_per_atom": 1e6 * float(np.median(seconds)) / len(atoms),
        "flop_per_atom": flop_per_atom(committee.member(0).architecture, members, n_edges),
        "edges_per_atom": n_edges,
    }


def flop_per_atom(model: InvariantModel, members: int, n_edges: float) -> float:
    """Of energies, member forces and virial: each product of the network once forwards and once back."""
    features = model.stage.n_features
    edges = n_edges * (BASIS + 2 * features)  # densities, shared
    edges += n_edges * members * (BASIS + 4 * features)  # each member's pull: ∂E/∂b and ∂E/∂Y
    network = 2 * (block_flop(model.block) + perceptron_flop(model.readout.hidden, model.readout.last, model.readout.linear))
    if isinstance(model, Lean2):
        first, _, second = model.message
        network += 2 * (block_flop(model.hop_block) + perceptron_flop([first], second))
        edges += n_edges * members * HOP_USES * 2 * features * second.out_features
    return edges + members * network


def block_flop(block: NodeBlock) -> float:
    """One forward pass."""
    total = sum(2 * mix.weight[0].numel() * (2 * l + 1) for l, mix in enumerate(block.mixing))
    for layer in block.layers:
        for matrices in (layer.enter, layer.keep, layer.mix):
            total += sum(2 * w.numel() * (2 * l + 1) for l, w in enumerate(matrices))
        table = self_coupling(layer.product.l_max)
        total += layer.product.weight.shape[1] * (3 * sum(map(len, table.nonzeros)) + 2 * len(table.nonzeros))
        total += 2 * layer.gate.weight.numel()
    return total


def perceptron_flop(*parts) -> float:
    """Of linear layers and lists of them."""
    layers = [layer for part in parts for layer in (part if isinstance(part, list | torch.nn.ModuleList) else [part])]
    return sum(2 * layer.weight.numel() for layer in layers)


def flop_rate() -> float:
    """flop/s of a product of large float32 matrices."""
    a = torch.randn(1024, 1024)
    a @ a
    seconds = []
    for _ in range(10):
        begin = time.perf_counter()
        a @ a
        seconds.append(time.perf_counter() - begin)
    return 2 * 1024**3 / float(np.median(seconds))


def copy_rate() -> float:
    """bytes/s, read and written, of arrays beyond every cache."""
    source = torch.randn(32_000_000)
    target = torch.empty_like(source)
    target.copy_(source)
    begin = time.perf_counter()
    for _ in range(5):
        target.copy_(source)
    return 5 * 2 * 4 * source.numel() / (time.perf_counter() - begin)


if __name__ == "__main__":
    main()
