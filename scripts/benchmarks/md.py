"""What molecular dynamics costs beside the model, ASE and LAMMPS, and what replicas in one batch gain; in turn in one run.

`python scripts/benchmarks/md.py --repeat 2,2,1 3,3,3 5,5,5 --replicas 1 4 16`
α-Li3PS4 at 600 K in steps of 2 fs. The model alone is given edges that are known. A "whole run" records frames every 50 steps,
temperature and energies every 10, checks the guards as often and writes a checkpoint every 100; "RC" holds the rotation of all anions.
Medians over rounds.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
TIMESTEP = 2.0  # fs
NS_PER_DAY = 86400 * TIMESTEP * 1e-6  # of one step per second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="bundled:li3ps4")
    parser.add_argument("--repeat", nargs="+", default=["2,2,1", "3,3,3"], help="of the 32-atom cell")
    parser.add_argument("--replicas", nargs="*", type=int, default=[1, 2, 4, 8, 16], help="of 128 atoms")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--without", nargs="*", default=[], help="rows that begin so are left out, such as LAMMPS")
    parser.add_argument("--json", type=Path, default=Path("md.json"))
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    rows = []
    print(f"{'atoms':>6} {'replicas':>8} {'':22} {'µs/atom/step':>13} {'of the model':>13} {'ns/day':>8} {'ns/day in all':>14}")
    cases = [([int(n) for n in repeat.split(",")], 1, True) for repeat in arguments.repeat]
    cases += [([2, 2, 1], n, False) for n in arguments.replicas]
    for repeat, n_replicas, beside in cases:
        for row in measured(arguments, repeat, n_replicas, beside):
            rows.append(row)
            told = (
                f"{row['us_per_atom']:13.2f} {row['of_model']:12.2f}× {row['ns_per_day']:8.2f} {row['ns_per_day'] * row['replicas']:14.2f}"
            )
            print(f"{row['atoms']:6d} {row['replicas']:8d} {row['what']:22} {told}", flush=True)
    arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


def measured(arguments: argparse.Namespace, repeat: list[int], n_replicas: int, beside: bool) -> list[dict]:
    """One row for each thing that was timed; `beside`: all of them, else what many replicas show."""
    import torch

    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as scratch:
        timed = {}
        for what, seconds in candidates(arguments, repeat, n_replicas, beside, Path(scratch)):
            if not any(what.startswith(word) for word in arguments.without):
                seconds(2)  # what is first is slow
                timed[what] = seconds
        taken = {what: [] for what in timed}
        for _ in range(arguments.rounds):
            for what, seconds in timed.items():
                taken[what].append(seconds(arguments.steps))
    n_atoms, alone = 32 * int(np.prod(repeat)), np.median(taken["model"])
    return [
        {
            "atoms": n_atoms,
            "replicas": n_replicas,
            "what": what,
            "us_per_atom": 1e6 * float(np.median(each)) / arguments.steps / n_atoms / n_replicas,
            "of_model": float(np.median(each) / alone),
            "ns_per_day": NS_PER_DAY * arguments.steps / float(np.median(each)),
        }
        for what, each in taken.items()
    ]


Seconds = Callable[[int], float]  # of so many steps


def candidates(
    arguments: argparse.Namespace, repeat: list[int], n_replicas: int, beside: bool, scratch: Path
) -> Iterator[tuple[str, Seconds]]:
    from mlff.artefact import load
    from mlff.artefact.locate import locate_model
    from mlff.md.csvr import CSVR
    from mlff.md.langevin import Langevin
    from mlff.md.mtk import MTK
    from mlff.md.nose_hoover import NoseHoover
    from mlff.md.nve import NVE
    from mlff.structure import structure

    artefact = locate_model(arguments.model)
    potential, atoms = load(artefact).potential, structure("Li3PS4_alpha", repeat)
    ours = _Ours(potential, atoms, n_replicas, arguments.device, scratch)
    yield "model", ours.model
    yield "NVE", ours.dynamics(NVE(), "UC")
    if beside:
        for ensemble in (CSVR(), Langevin(), NoseHoover(), MTK(), MTK(isotropic=False)):
            flexible = ", flexible" if isinstance(ensemble, MTK) and not ensemble.isotropic else ""
            yield type(ensemble).__name__ + flexible, ours.dynamics(ensemble, "UC")
        yield "CSVR, RC", ours.dynamics(CSVR(), "RC")
        yield "CSVR, RC, whole run", ours.run("RC")
        yield "ASE, NVE", _ase(artefact, atoms)
        yield "LAMMPS, NVE", _lammps(artefact, atoms, scratch)
    yield "CSVR, whole run", ours.run("UC")


class _Ours:
    """Replicas of one structure."""

    def __init__(self, potential, atoms, n_replicas: int, device: str, scratch: Path):
        from mlff.md.batch import Settings

        self._potential, self._atoms, self._n, self._scratch = potential, atoms, n_replicas, scratch
        self._settings = Settings(TIMESTEP, device=device)
        self._runs = 0

    def _replicas(self, mode: str) -> list:
        from mlff.md.replica import Replica

        return [Replica(f"r{k}", self._atoms, 600.0, mode=mode, seed=k) for k in range(self._n)]

    def _begun(self, ensemble, mode: str):
        from mlff.md.batch import Batch

        batch = Batch(self._potential, self._replicas(mode), self._settings)
        held, positions = batch.held(batch.start(), True, None)
        dynamics, target = batch.dynamics(ensemble, held), batch.target([600.0] * self._n)
        state = batch.moving(dynamics, replace(batch.start(), positions=positions), batch.rests(ensemble, held), target, True)
        return dynamics, ensemble.begin(dynamics, state, target), target

    def dynamics(self, ensemble, mode: str) -> Seconds:
        """Steps alone."""
        dynamics, state, target = self._begun(ensemble, mode)

        def seconds(steps: int) -> float:
            nonlocal state
            begin = time.perf_counter()
            for _ in range(steps):
                state = ensemble.step(dynamics, state, target, ensemble.varies_cell)
            float(state.energy.sum())  # waits for a device
            return time.perf_counter() - begin

        return seconds

    def model(self, steps: int) -> float:
        from mlff.md.nve import NVE

        if not hasattr(self, "_evaluate"):
            dynamics, state, _ = self._begun(NVE(), "UC")
            hood = dynamics.force_field.neighbors.hood(state.positions, state.cell)
            self._evaluate = lambda: dynamics.force_field._engine.evaluate(hood, False)
        begin = time.perf_counter()
        for _ in range(steps):
            found = self._evaluate()
        float(found.energy.sum())
        return time.perf_counter() - begin

    def run(self, mode: str) -> Seconds:
        """A run with records, guards and checkpoints, from its first step to its end."""
        from mlff.md.csvr import CSVR
        from mlff.md.plan import Plan
        from mlff.md.protocol import Protocol, Stage
        from mlff.md.recorder import Intervals
        from mlff.md.simulation import Simulation

        def seconds(steps: int) -> float:
            self._runs += 1
            protocol = Protocol([Stage("production", duration=steps * TIMESTEP / 1000)])
            intervals = Intervals(frames=50, thermo=10, check=10, chunk=100)
            plan = Plan(self._potential, self._replicas(mode), protocol, CSVR(), self._settings, intervals=intervals)
            simulation = Simulation(plan, self._scratch / f"run{self._runs}", _Clock())
            simulation.run()
            return simulation.watch.seconds

        return seconds


class _Clock:
    """A watch that measures the steps, and not how a run is set up."""

    def over(self, n_steps: int, done: int, timestep: float):
        return self

    def __enter__(self):
        self._begin = time.perf_counter()

    def __exit__(self, *_):
        self.seconds = time.perf_counter() - self._begin

    def shows(self, step, n_replicas, rows) -> None:
        pass

    def tells(self, message: str) -> None:
        raise SystemExit(message)


def _ase(artefact: Path, atoms) -> Seconds:
    from ase import units
    from ase.md.verlet import VelocityVerlet

    from mlff.export.ase import MLFFCalculator
    from mlff.export.verify import at_temperature

    atoms = at_temperature(atoms, 600.0)
    atoms.calc = MLFFCalculator.load(artefact, skin=1.0)
    dynamics = VelocityVerlet(atoms, TIMESTEP * units.fs)

    def seconds(steps: int) -> float:
        begin = time.perf_counter()
        dynamics.run(steps)
        return time.perf_counter() - begin

    return seconds


def _lammps(artefact: Path, atoms, scratch: Path) -> Seconds:
    from mlff.export.lammps.engine import LAMMPS
    from mlff.export.lammps.structure import data_file
    from mlff.export.verify import at_temperature
    from scripts.benchmarks.lammps import INPUT, lammps

    folder = scratch / "lammps"
    folder.mkdir()
    LAMMPS().write(artefact, folder)
    species = (folder / "species.lammps").read_text().split()[4:]
    (folder / "structure.data").write_text(data_file(at_temperature(atoms, 600.0), species))

    def seconds(steps: int) -> float:
        text = INPUT.format(warm=max(1, steps // 4), steps=steps).replace("timestep 0.001", f"timestep {TIMESTEP / 1000}")
        (folder / "in.steps").write_text(text)
        return lammps(folder, 1)[0]

    return seconds


if __name__ == "__main__":
    main()
