"""µs per atom and step in LAMMPS beside ASE and the model alone, all on one thread of each rank, in turn in one run.

`python scripts/benchmarks/lammps.py --model bundled:li3ps4 --repeat 3,3,6 6,6,7 --ranks 1 2`
The structure is the first golden frame's crystal, repeated and at 600 K; steps are of 1 fs at constant energy. The model alone is given
edges that are known; ASE and LAMMPS move the atoms and find neighbours. Medians over rounds; memory is the peak of a rank.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
CHILD = "import json, resource, subprocess, sys; p = subprocess.run(sys.argv[1:], capture_output=True, text=True); " + (
    "print(json.dumps([p.returncode, p.stdout + p.stderr, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))"
)
INPUT = """
units metal
box tilt large
read_data structure.data
pair_style mlff
include species.lammps
neighbor 1.0 bin
timestep 0.001
fix nve all nve
run {warm}
run {steps}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="bundled:li3ps4")
    parser.add_argument("--repeat", nargs="+", default=["3,3,3", "5,5,5"], help="of the golden frame's cell")
    parser.add_argument("--ranks", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, default=Path("lammps.json"))
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    rows = []
    print(f"{'atoms':>6} {'':12} {'µs/atom/step':>13} {'of the model':>13} {'steps/s':>8} {'MB':>6}")
    for repeat in arguments.repeat:
        for row in measured(arguments, [int(n) for n in repeat.split(",")]):
            rows.append(row)
            memory = f"{row['megabytes']:6.0f}" if "megabytes" in row else f"{'':6}"
            told = f"{row['us_per_atom']:13.2f} {row['of_model']:12.2f}× {row['steps_per_second']:8.1f}"
            print(f"{row['atoms']:6d} {row['what']:12} {told} {memory}", flush=True)
    arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


def measured(arguments: argparse.Namespace, repeat: list[int]) -> list[dict]:
    import torch

    from mlff.artefact import read_golden
    from mlff.artefact.locate import locate_model
    from mlff.export.lammps.engine import LAMMPS
    from mlff.export.lammps.structure import data_file
    from mlff.export.verify import at_temperature

    torch.set_num_threads(1)
    artefact = locate_model(arguments.model)
    atoms = at_temperature(read_golden(artefact)[0].atoms.repeat(repeat), 600.0)
    seconds: dict[str, list[float]] = {}
    memory: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        LAMMPS(dtype=arguments.dtype).write(artefact, folder)
        species = (folder / "species.lammps").read_text().split()[4:]
        (folder / "structure.data").write_text(data_file(atoms, species))
        (folder / "in.steps").write_text(INPUT.format(warm=arguments.steps // 4, steps=arguments.steps))
        python = _Python(artefact, atoms, arguments.dtype)
        for _ in range(arguments.rounds):
            seconds.setdefault("model", []).append(python.model(arguments.steps))
            seconds.setdefault("ASE", []).append(python.dynamics(arguments.steps))
            for ranks in arguments.ranks:
                what = f"LAMMPS, {ranks}"
                took, memory[what] = lammps(folder, ranks)
                seconds.setdefault(what, []).append(took)
    alone = np.median(seconds["model"])
    return [
        {
            "atoms": len(atoms),
            "what": what,
            "us_per_atom": 1e6 * float(np.median(each)) / arguments.steps / len(atoms),
            "of_model": float(np.median(each) / alone),
            "steps_per_second": arguments.steps / float(np.median(each)),
        }
        | ({"megabytes": memory[what] / 1024} if what in memory else {})
        for what, each in seconds.items()
    ]


class _Python:
    """The model alone, and ASE's velocity Verlet with it."""

    def __init__(self, artefact, atoms, dtype: str):
        import torch
        from ase import units
        from ase.md.verlet import VelocityVerlet

        from mlff.export.ase import MLFFCalculator

        self.atoms = atoms.copy()
        self.atoms.calc = MLFFCalculator.load(artefact, dtype=dtype, skin=1.0)
        self._dynamics = VelocityVerlet(self.atoms, units.fs)
        self._dynamics.run(2)
        runner = self.atoms.calc.runner
        numbers = torch.tensor([runner.species.index(s) for s in self.atoms.symbols])
        hood = runner.neighbors(numbers, self.atoms.pbc, 1.0).hood(self.atoms.positions, self.atoms.cell.array)
        positions = torch.from_numpy(self.atoms.positions)
        self._evaluate = lambda: runner.evaluate(hood, positions)

    def model(self, steps: int) -> float:
        begin = time.perf_counter()
        for _ in range(steps):
            self._evaluate()
        return time.perf_counter() - begin

    def dynamics(self, steps: int) -> float:
        begin = time.perf_counter()
        self._dynamics.run(steps)
        return time.perf_counter() - begin


def lammps(folder: Path, ranks: int) -> tuple[float, float]:
    """Seconds of the second run by LAMMPS's own clock, and the largest peak of a rank, KB."""
    from mlff.export.lammps_launch import beside_python, environment, launcher

    command = [sys.executable, "-c", CHILD, *launcher(ranks), beside_python("lmp"), "-in", "in.steps", "-log", "none"]
    done = subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True, text=True)
    status, said, peak = json.loads(done.stdout)
    if status:
        raise SystemExit(said[-2000:])
    return float(re.findall(r"Loop time of (\S+)", said)[-1]), peak


if __name__ == "__main__":
    main()
