"""ms per frame visit of a training step, engine beside autograd's double backward, and the minutes that runs took to an accuracy.

`python scripts/benchmarks/training.py` measures LiPS frames (83 atoms, two a batch) from $MLFF_DATA: arranging the edges, the loss
and its gradient, and the optimizer, each apart. `--runs runs/a runs/b --mae 23` reads finished runs and says when each first reached
a validation force MAE. Both forms run in turns in one process, so that a busy machine slows both.
"""

import argparse
import csv
import json
import os
import time
from pathlib import Path

import numpy as np
import torch

from mlff.artefact.build import build_potential
from mlff.data import read_frames
from mlff.data.dataset import collate, graph_of
from mlff.engine import Committee, evaluator
from mlff.train.loss import Loss
from mlff.train.soap import SOAP


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["lean", "lean2"])
    parser.add_argument("--members", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--size", default="S")
    parser.add_argument("--r-max", type=float, default=5.0, help="Å")
    parser.add_argument("--frames", type=int, default=2, help="of a batch")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--no-autograd", action="store_true", help="the engine alone")
    parser.add_argument("--json", type=Path, default=Path("training.json"))
    parser.add_argument("--runs", nargs="*", type=Path, default=[], help="finished runs to read instead")
    parser.add_argument("--mae", type=float, default=25.0, help="meV/Å, of the runs' validation forces")
    arguments = parser.parse_args()
    if arguments.runs:
        print(f"{'run':40} minutes to {arguments.mae} meV/Å, best")
        for run in arguments.runs:
            print(f"{run.name:40} {minutes_to(run, arguments.mae)}")
        return
    torch.set_num_threads(arguments.threads)
    rows = []
    print(f"{'model':6} {'members':>7} {'derivatives':>12} {'arrange':>9} {'gradient':>9} {'optimizer':>10} {'ms/frame':>9}")
    for model in arguments.models:
        for members in arguments.members:
            for row in measure(model, members, arguments):
                rows.append(row)
                parts = f"{row['arrange']:9.2f} {row['gradient']:9.2f} {row['optimizer']:10.2f}"
                print(f"{model:6} {members:7d} {row['derivatives']:>12} {parts} {row['ms_per_frame']:9.2f}", flush=True)
    arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


def measure(model: str, members: int, arguments: argparse.Namespace) -> list[dict]:
    """Medians of each part of a step, ms per frame."""
    data = os.environ.get("MLFF_DATA")
    if not data:
        raise SystemExit("MLFF_DATA is not set; it names the folder of the shared data, whose lips_520K/ this benchmark uses")
    frames = read_frames(Path(data) / "lips_520K" / "lips_1000.extxyz")[: arguments.frames]
    species = ("Li", "P", "S")
    options = {"r_max": arguments.r_max, "size": arguments.size}
    description = {"architecture": model, "species": species, "options": options, "repulsion": True}
    graph = collate([graph_of(frame, species, arguments.r_max) for frame in frames])
    potentials = []
    for k in range(members):
        torch.manual_seed(k)
        potential = build_potential(description)
        potential.calibrate(graph, energy_scale=0.5)
        potentials.append(potential)
    stacked = Committee(potentials).train().to(arguments.device).stacked
    graph = graph.to(arguments.device)
    loss = Loss(species, force_unit=0.5, stress_unit=1.0, energy_unit=0.05, stress=0.0).to(arguments.device)
    optimizer = SOAP([{"params": list(stacked.parameters()), "members": True}], lr=1e-4)
    forms = [False] if arguments.no_autograd else [False, True]
    seconds: dict[bool, list] = {form: [] for form in forms}
    for _ in range(arguments.steps + 2):
        for form in forms:
            optimizer.zero_grad()
            clock = [now(arguments.device)]
            _ = stacked.neighborhood(graph).reverse
            clock.append(now(arguments.device))
            value, _ = evaluator(stacked, form).loss(graph, lambda prediction: loss(prediction, graph)[0], False)
            value.backward()
            clock.append(now(arguments.device))
            optimizer.step()
            clock.append(now(arguments.device))
            seconds[form].append(np.diff(clock))
    rows = []
    for form in forms:
        arrange, gradient, step = 1e3 * np.median(seconds[form][2:], axis=0) / len(frames)
        row = {"model": model, "members": members, "derivatives": "autograd" if form else "engine", "threads": arguments.threads}
        # the gradient arranges edges itself: what was measured apart is shown, and counted once
        row |= {"arrange": arrange, "gradient": gradient, "optimizer": step, "ms_per_frame": gradient + step}
        rows.append(row)
    return rows


def now(device: str) -> float:
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter()


def minutes_to(run: Path, mae: float) -> str:
    """From the columns `wall_time_s` and `val_force_mae` of a run's history."""
    with open(run / "history.csv") as file:
        rows = [row for row in csv.DictReader(file) if row.get("val_force_mae")]
    reached = [float(row["wall_time_s"]) / 60 for row in rows if float(row["val_force_mae"]) <= mae and row.get("wall_time_s")]
    best = min(float(row["val_force_mae"]) for row in rows)
    return f"{reached[0]:.1f}, {best:.1f}" if reached else f"not reached, {best:.1f}"


if __name__ == "__main__":
    main()
