"""Softness of the Kob–Andersen mixture, on which others have measured it, from a simulation of our own.

`python scripts/benchmarks/kob_andersen.py`: 800 A and 200 B particles at density 1.2, Lennard-Jones cut at 2.5 σ, at a temperature where
the liquid barely flows (Kob and Andersen, Phys. Rev. E 51, 4626, 1995), in LAMMPS. Every frame is quenched to its inherent structure,
as in Schoenholz et al., PNAS 114, 263 (2017): what is left are hops and places. Two independent runs: a plane for each species is fitted
to hops and quiet stretches of the one and told on the other. In units of σ, ε and τ = σ √(m/ε).
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mlff.analysis import System
from mlff.analysis.rearrangement.p_hop import p_hop
from mlff.trajectory import Frames
from softness.activation import Activation, activation
from softness.hop_rows import hop_rows
from softness.hyperplane import Hyperplane
from softness.radial import RadialFunctions
from softness.rows import Samples
from softness.validation import validate

HOPS = {"window": 2.0, "cut": 0.2, "low": 0.01}  # τ, σ², σ²: of inherent structures, where what is quiet does not move at all
LAST = 2.6  # σ, of the distances
SHOWN = {
    "train": "training rows told rightly",
    "test": "test rows told rightly",
    "balanced": "mean of both classes",
    "auc": "area under the curve",
    "soft_of_mobile": "P(S > 0 | rearranging)",
    "soft": "P(S > 0)",
    "control": "permuted labels",
}
SEEN = 500  # frames in which all particles are told
SHARES = (0, 0.5, 0.7, 0.8, 0.9, 0.96, 0.99, 1)  # of the particles by softness, in whose bins they are seen to rearrange: few are very soft
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
reset_timestep 0
dump frames all custom {every} {raw} id type xu yu zu
dump_modify frames sort id format float %.8g
thermo {every}
run {production}
undump frames
thermo 1000
variable frame loop 0 {last}
label quench
variable step equal ${{frame}}*{every}
read_dump {raw} ${{step}} x y z box no wrapped no
minimize 1e-7 1e-2 200 1000
write_dump all custom {part} id type xu yu zu modify sort id append yes format float %.8g
next frame
jump SELF quench
shell mv {part} {dump}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("runs/kob_andersen"))
    parser.add_argument("--temperature", type=float, default=0.47)
    parser.add_argument("--rest", type=float, default=1500.0, help="τ, before what is analysed")
    parser.add_argument("--time", type=float, default=1000.0, help="τ, that is analysed")
    parser.add_argument("--quiet", type=float, default=200.0, help="τ, for which a hard particle has not moved")
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
    every, files = round(arguments.every / STEP), {name: dump.with_suffix(f".{name}").resolve() for name in ("raw", "part")}
    words |= {"temperature": arguments.temperature, "every": every, "last": steps["production"] // every, "dump": dump.resolve()} | files
    files["part"].unlink(missing_ok=True)  # of a run that was killed
    script = dump.with_suffix(".in")
    script.write_text(INPUT.format(**words, **steps))
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
    """Of hops and quiet stretches of one species."""
    functions = RadialFunctions(("A", "B"), first=0.4, last=LAST, step=0.1, width=0.1)
    rows, everyone = [], []
    for number, (types, positions, edge) in enumerate(read):
        symbols = tuple("AB"[k - 1] for k in types)
        cells = np.broadcast_to(np.eye(3) * edge, (len(positions), 3, 3))
        # a τ of time stands for a ps: the numbers are the same
        system = System(symbols, np.ones(N), positions[0], np.eye(3) * edge, species, 1000.0 * arguments.every, n_frames=len(positions))
        frames = Frames(np.arange(len(positions)), positions, cells)
        rows.append(hop_rows(frames, system, functions, number, quiet=arguments.quiet, **HOPS))
        everyone.append(all_of(positions, cells, system, functions, number))
    train, test = rows
    plane = Hyperplane().fit(train.features, train.mobile, train.groups)
    found = validate(plane, train, test, everyone[1])
    seen = rearranging(plane, everyone[1], read[1][1], arguments)
    names = ("train", "test", "balanced", "auc", "soft_of_mobile", "soft", "control")
    numbers = {name: (getattr(found, name).value, getattr(found, name).error) for name in names}
    counts = {"mobile": int(train.mobile.sum()), "quiet": int((~train.mobile).sum())}
    by_softness = {name: getattr(seen, name)[0 if name != "softness" else ...].tolist() for name in ("softness", "probability", "error")}
    return numbers | counts | {"doubts": found.doubts, "rearranging": by_softness}


def rearranging(plane: Hyperplane, everyone: Samples, positions: np.ndarray, arguments: argparse.Namespace) -> Activation:
    """Share of the particles of each softness that rearrange right after: whose p_hop of the two windows that follow is above the cut."""
    n = round(HOPS["window"] / arguments.every)
    followed = everyone.at + 2 * n < len(positions)
    at, particles = everyone.at[followed], everyone.particles[followed]
    who, place = np.unique(particles, return_inverse=True)
    moved = p_hop(positions[:, who], n)[at + 1, place] > HOPS["cut"]
    softness = plane.soft(everyone.features[followed])
    return activation({arguments.temperature: (softness, moved)}, edges=np.quantile(softness, SHARES))


def all_of(positions: np.ndarray, cells: np.ndarray, system: System, functions: RadialFunctions, number: int) -> Samples:
    """Every particle of the species in frames far apart, whatever it does."""
    frames = np.arange(0, len(positions) - 1, max(1, len(positions) // SEEN))
    features = [functions.of_frame(positions[k], cells[k], system.symbols, system.ions) for k in frames]
    n = len(frames) * len(system.ions)
    at, own = np.repeat(frames, len(system.ions)), np.full(n, number)
    return Samples(np.concatenate(features), np.full(n, np.nan), np.tile(system.ions, len(frames)), own, own, at, at + 1, at + 1)


def show(results: dict) -> None:
    print(f"{'%':34}" + "".join(f"{species:>16}" for species in results))
    for name, shown in SHOWN.items():
        print(f"{shown:34}" + "".join(f"{100 * value:10.1f} ± {100 * error:3.1f}" for value, error in (r[name] for r in results.values())))
    counts = [f"{numbers['mobile']}, {numbers['quiet']}" for numbers in results.values()]
    print(f"{'hops, quiet stretches':34}" + "".join(f"{count:>16}" for count in counts))
    print(
        f"\nshare that rearranges, by softness (bins that begin above 0, 50, 70, 80, 90, 96, 99 % of the particles)\n{'species':10}"
        + f"{'S':>8}{'P_R':>12}{'±':>10}"
    )
    for species, numbers in results.items():
        for row in zip(*numbers["rearranging"].values(), strict=True):
            print(f"{species:10}{row[0]:8.2f}{row[1]:12.2g}{row[2]:10.1g}")
    for species, numbers in results.items():
        for doubt in numbers["doubts"]:
            print(f"{species}: {doubt}")


if __name__ == "__main__":
    main()
