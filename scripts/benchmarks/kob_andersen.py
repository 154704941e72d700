"""Softness of the Kob–Andersen mixture, on which others have measured it, from a simulation of our own.

`python scripts/benchmarks/kob_andersen.py`: 800 A and 200 B particles at density 1.2, Lennard-Jones cut at 2.5 σ, at a temperature where
the liquid barely flows (Kob and Andersen, Phys. Rev. E 51, 4626, 1995), in LAMMPS. Two independent runs: a plane for each species is
fitted to hops and quiet stretches of the one and told on the other. In units of σ, ε and τ = σ √(m/ε).
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mlff.analysis import System
from mlff.trajectory import Frames
from softness.hop_rows import hop_rows
from softness.hyperplane import Hyperplane
from softness.radial import RadialFunctions
from softness.rows import Samples
from softness.validation import validate

SEEN = 20  # frames in which all particles are told
N, SHARE, DENSITY, STEP = 1000, 0.2, 1.2, 0.005
INPUT = """
units lj
atom_style atomic
region box block 0 {edge} 0 {edge} 0 {edge}
create_box 2 box
create_atoms 1 random {n_a} {seed} box
create_atoms 2 random {n_b} {seed_b} box
mass * 1.0
pair_style soft 1.0
pair_coeff * * 50.0
minimize 0 0.01 500 5000
pair_style lj/cut 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
pair_modify shift yes
minimize 0 0.01 500 5000
velocity all create 1.5 {seed} mom yes rot no dist gaussian
timestep {step}
fix bath all nvt temp 1.5 1.5 0.5
run {melt}
unfix bath
fix bath all nvt temp 1.5 {temperature} 0.5
run {cool}
unfix bath
fix bath all nvt temp {temperature} {temperature} 0.5
run {rest}
dump frames all custom {every} {dump} id type xu yu zu
dump_modify frames sort id format float %.8g
thermo {every}
run {production}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("runs/kob_andersen"))
    parser.add_argument("--temperature", type=float, default=0.47)
    parser.add_argument("--rest", type=float, default=1500.0, help="τ, before what is analysed")
    parser.add_argument("--time", type=float, default=1000.0, help="τ, that is analysed")
    parser.add_argument("--every", type=float, default=1.0, help="τ, from frame to frame")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    runs = [simulate(arguments, seed) for seed in (1, 2)]
    for process, _ in runs:
        if process is not None and process.wait():
            raise SystemExit(f"LAMMPS ended with {process.returncode}; see {arguments.folder}/*.log")
    read = [frames_of(dump) for _, dump in runs]
    results = {species: told(read, species, arguments) for species in ("A", "B")}
    (arguments.folder / "softness.json").write_text(json.dumps(results, indent=1) + "\n")
    show(results)


def simulate(arguments: argparse.Namespace, seed: int) -> tuple[subprocess.Popen | None, Path]:
    """Starts LAMMPS, unless the dump is there already."""
    settings = "_".join(f"{value:g}" for value in (arguments.temperature, arguments.rest, arguments.time, arguments.every))
    dump = arguments.folder / f"run_{settings}_{seed}.dump"
    if dump.exists():
        return None, dump
    steps = {
        name: round(time / STEP) for name, time in (("melt", 50), ("cool", 200), ("rest", arguments.rest), ("production", arguments.time))
    }
    edge, n_b = (N / DENSITY) ** (1 / 3), round(SHARE * N)
    words = {"edge": edge, "n_a": N - n_b, "n_b": n_b, "seed": 1000 + seed, "seed_b": 2000 + seed, "step": STEP}
    words |= {"temperature": arguments.temperature, "every": round(arguments.every / STEP), "dump": dump.with_suffix(".part").resolve()}
    script = dump.with_suffix(".in")
    script.write_text(INPUT.format(**words, **steps) + f"shell mv {dump.with_suffix('.part').resolve()} {dump.resolve()}\n")
    lmp = Path(sys.executable).with_name("lmp")
    log = dump.with_suffix(".log").open("w")
    return subprocess.Popen([lmp, "-in", script.name, "-log", "none"], cwd=arguments.folder, stdout=log, stderr=log), dump


def frames_of(dump: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Types (n_atoms,), positions (n_frames, n_atoms, 3), and the edge of the cell."""
    with dump.open() as file:
        lines = file.readlines()
    size = 9 + N
    low, high = map(float, lines[5].split())
    rows = [np.loadtxt(lines[k + 9 : k + size]) for k in range(0, len(lines), size)]
    return rows[0][:, 1].astype(int), np.array([row[:, 2:] for row in rows]), high - low


def told(read: list, species: str, arguments: argparse.Namespace) -> dict:
    """Of hops and quiet stretches of one species; the structure is that of the mean positions of one window."""
    functions = RadialFunctions(("A", "B"), first=0.4, last=2.6, step=0.1, width=0.1)
    window = 5
    rows, everyone = [], []
    for number, (types, positions, edge) in enumerate(read):
        symbols = tuple("AB"[k - 1] for k in types)
        smooth = averaged(positions, window)
        cells = np.broadcast_to(np.eye(3) * edge, (len(smooth), 3, 3))
        # a τ of time stands for a ps: the numbers are the same
        system = System(
            symbols, np.ones(N), smooth[0], np.eye(3) * edge, species, 1000.0 * arguments.every, n_frames=len(smooth), rests=True
        )
        hops = {"window": window * arguments.every, "cut": 0.2, "low": 0.05, "quiet": 100.0}
        rows.append(hop_rows(Frames(np.arange(len(smooth)), smooth, cells), system, functions, number, lead=window, **hops))
        everyone.append(all_of(smooth, cells, system, functions, number))
    train, test = rows
    plane = Hyperplane().fit(train.features, train.mobile, train.groups)
    found = validate(plane, train, test, everyone[1])
    numbers = {
        name: (getattr(found, name).value, getattr(found, name).error)
        for name in ("train", "test", "balanced", "auc", "soft_of_mobile", "control")
    }
    return numbers | {
        "soft": (found.soft.value, found.soft.error),
        "n_train": found.n_train,
        "n_test": found.n_test,
        "doubts": found.doubts,
    }


def all_of(positions: np.ndarray, cells: np.ndarray, system: System, functions: RadialFunctions, number: int) -> Samples:
    """Every particle of the species in frames far apart, whatever it does."""
    frames = np.arange(0, len(positions) - 1, max(1, len(positions) // SEEN))
    features = [functions.of_frame(positions[k], cells[k], system.symbols, system.ions) for k in frames]
    n = len(frames) * len(system.ions)
    at, own = np.repeat(frames, len(system.ions)), np.full(n, number)
    return Samples(np.concatenate(features), np.full(n, np.nan), np.tile(system.ions, len(frames)), own, own, at, at + 1, at + 1)


def averaged(positions: np.ndarray, n: int) -> np.ndarray:
    """Mean of each frame and the n − 1 before it."""
    sums = np.cumsum(positions, axis=0)
    sums[n:] = sums[n:] - sums[:-n]
    return sums[n - 1 :] / n


def show(results: dict) -> None:
    for species, numbers in results.items():
        print(f"{species}: {numbers}")


if __name__ == "__main__":
    main()
