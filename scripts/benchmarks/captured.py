"""µs per step of molecular dynamics with a model compiled ahead of time, the integrator included.

`python scripts/benchmarks/captured.py --device cuda --models lean lean2 --members 1 4 --atoms 1000 14000 200000` is what a GPU is
measured with: there the whole step is one CUDA graph. It runs on the CPU too, where each kernel is called by itself. Velocity Verlet,
1 fs, 600 K, LGPS; neighbours within r_max + skin are found once, and the share of a rebuild, which comes every some tens of steps,
is shown apart. Compiling takes minutes for each model and is kept.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from ase import units

from mlff.export.compiled import CompiledPotential, compile_potential
from mlff.export.compiled.captured import captured
from mlff.export.compiled.site_model import OUTPUTS, compiled_inputs

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from scripts.benchmarks.systems import lgps, untrained

KELVIN = 600.0
STEPS = 20  # that are measured together


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["lean", "lean2"])
    parser.add_argument("--size", default="S")
    parser.add_argument("--members", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--atoms", nargs="+", type=int, default=[1000])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--skin", type=float, default=0.5, help="Å")
    parser.add_argument("--folder", type=Path, default=Path("compiled-benchmarks"), help="of the compiled models")
    parser.add_argument("--json", type=Path, default=Path("captured.json"))
    arguments = parser.parse_args()
    rows = []
    print(f"{'model':6} {'members':>7} {'atoms':>7} {'µs/step':>9} {'µs/atom/step':>13} {'rebuild, ms':>12} {'KB/atom':>8}")
    for model in arguments.models:
        for members in arguments.members:
            folder = arguments.folder / f"{model}-{arguments.size}-{members}-{arguments.device}"
            committee = untrained(model, arguments.size, members, torch.float32)
            compile_potential(tuple(committee.members()), folder, device=arguments.device)
            for atoms in arguments.atoms:
                row = {"model": model, "size": arguments.size, "members": members, "atoms": atoms, "device": arguments.device}
                rows.append(row | measure(CompiledPotential(folder), atoms, arguments.skin))
                r = rows[-1]
                memory = "–" if r["bytes_per_atom"] is None else f"{r['bytes_per_atom'] / 1e3:.1f}"
                cost = f"{r['us_per_step']:9.1f} {r['us_per_step'] / atoms:13.4f} {r['rebuild_ms']:12.2f} {memory:>8}"
                print(f"{model:6} {members:7d} {atoms:7d} {cost}", flush=True)
    arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


def measure(model: CompiledPotential, n_atoms: int, skin: float) -> dict:
    """The median of some steps, and what finding the neighbours costs."""
    atoms, rng = lgps(n_atoms), np.random.default_rng(0)
    species = torch.tensor([model.species.index(s) for s in atoms.symbols])
    neighbors = model.neighbors(species, atoms.pbc, skin)
    begin = time.perf_counter()
    hood = neighbors.hood(atoms.positions, atoms.cell.array)
    _wait(model.device)
    rebuild = time.perf_counter() - begin
    step, state = nve_step(model, hood, atoms, rng)
    step = captured(step, state)
    seconds = []
    for _ in range(7):
        _wait(model.device)
        begin = time.perf_counter()
        for _ in range(STEPS):
            step()
        _wait(model.device)
        seconds.append((time.perf_counter() - begin) / STEPS)
    used = torch.cuda.max_memory_allocated() / n_atoms if model.device.startswith("cuda") else None
    return {"us_per_step": 1e6 * float(np.median(seconds[1:])), "rebuild_ms": 1e3 * rebuild, "bytes_per_atom": used}


def nve_step(model: CompiledPotential, hood, atoms, rng: np.random.Generator, dt: float = units.fs):
    """One step of velocity Verlet on tensors that stay where they are, and those tensors: positions, velocities, forces, energy."""
    device = model.device
    inputs = list(compiled_inputs(hood, torch.from_numpy(atoms.positions).to(device)))
    masses = torch.from_numpy(atoms.get_masses()).to(device)
    # isolated sites feel no force; any mass will do
    inverse_mass = hood.at_sites(1 / masses.unsqueeze(0)).T
    thermal = torch.from_numpy(rng.normal(size=(len(atoms), 3))).to(device) * (units.kB * KELVIN / masses).sqrt().unsqueeze(1)
    velocities = hood.at_sites(thermal.T).T.contiguous()
    out = dict(zip(OUTPUTS, model.run(inputs), strict=True))
    positions, forces, energy = inputs[0], out["forces"].clone(), out["energy"].clone()

    def step() -> None:
        velocities.add_(forces * inverse_mass, alpha=0.5 * dt)
        positions.add_(velocities, alpha=dt)
        found = dict(zip(OUTPUTS, model.run(inputs), strict=True))
        forces.copy_(found["forces"])
        energy.copy_(found["energy"])
        velocities.add_(forces * inverse_mass, alpha=0.5 * dt)

    return step, (positions, velocities, forces, energy)


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
