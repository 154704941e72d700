"""Transport numbers of this project beside those of pymatgen, kinisi, GEMDAT, MDAnalysis and freud, on the same trajectories.

`python scripts/benchmarks/analysis_peers.py --environment all=/venvs/analysis/bin/python --trajectory runs/md/…/trajectory`
Each program runs in the environment that it is installed in: `--environment freud=PYTHON`, or `all=PYTHON` for one that holds all of
them. Without `--trajectory` (ours, as `mlff.trajectory` reads it) only what has known answers is analysed: independent walkers with
Gaussian steps beside a framework that stands, in a skewed cell, 500 Å from the origin, with the diffusivity D and the Haven ratio 1;
and ions that vibrate with one frequency and amplitude on sites between which they jump so many times.

There are several independent runs of the walkers (`--runs`), from which the errors that programs tell are judged: the column "off" is the
distance of the value from the truth in units of the told error, rms over the runs, 1 for an honest one; "mean" and "spread" are of the
value over the runs.

Times are of the processor, in ns per atom of the trajectory and frame, from the positions in memory as the program wants them to its
result, on one thread, the least of some rounds.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = ("pymatgen", "kinisi", "gemdat", "mdanalysis", "freud")
OBSERVABLES = {
    "tracer diffusivity": ("cm²/s", ".3e"),
    "charge diffusivity": ("cm²/s", ".3e"),
    "conductivity": ("S/cm", ".4g"),
    "Haven ratio": ("", ".3g"),
    "MSD": ("Å²", ".5g"),
    "first peak of g(r)": ("", ".4g"),
    "g(r)": ("", ".4g"),
    "jumps": ("", ".5g"),
    "attempt frequency": ("THz", ".3g"),
    "vibration amplitude": ("Å", ".3g"),
    "unwrapping": ("Å", ".2g"),
}
CELL = np.array([[16.0, 0.0, 0.0], [-6.0, 15.0, 0.0], [5.0, -5.0, 14.0]])  # Å
FAR = 500.0  # Å, from the origin
DIFFUSIVITY = 1e-5  # cm²/s
FRAME_TIME = 100.0  # fs
N_IONS, N_FRAMEWORK = 48, 16
FREQUENCY, AMPLITUDE = 3.0, 0.3  # THz, and Å along an axis, of the ions that vibrate
VIBRATION_TIME = 20.0  # fs, between frames
JUMPS_A_FRAME = 0.5  # that are tried


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environment", action="append", default=[], metavar="NAME=PYTHON", help=f"NAME: all or {', '.join(DRIVERS)}")
    parser.add_argument("--trajectory", type=Path, action="append", default=[], help="folder of a trajectory of ours")
    parser.add_argument("--frames", type=int, default=1000, help="of the walkers")
    parser.add_argument("--runs", type=int, default=8, help="of the walkers, independent")
    parser.add_argument("--limit", type=float, default=900.0, help="s, after which a program is given up")
    parser.add_argument("--json", type=Path, default=Path("runs/analysis_peers.json"))
    arguments = parser.parse_args()
    pythons = {"mlff": Path(sys.executable)} | environments(arguments.environment)
    if arguments.frames < 200 or arguments.runs < 1:
        raise SystemExit(f"found {arguments.frames} frames and {arguments.runs} runs, expected at least 200 frames and 1 run")
    everything = {}
    with tempfile.TemporaryDirectory() as folder:
        files_of, known = samples(Path(folder), arguments)
        for name, files in files_of.items():
            rows = []
            for program in ("mlff", *DRIVERS):
                if name == "vibrating" and program not in ("mlff", "gemdat"):
                    continue  # the others know no sites
                answer = run(program, pythons[program], files, arguments.limit) if program in pythons else {"failed": "not installed"}
                print(f"{name}: {program}: {answer.get('failed', answer.get('versions'))}", flush=True)
                rows += rows_of(program, answer, known[name])
            # walkers have no sites, and what vibrates does not diffuse
            left_out = {
                "walkers": known["vibrating"].keys(),
                "vibrating": {row.get("observable") for row in rows} - known["vibrating"].keys(),
            }
            rows = [row for row in rows if "failed" in row or row["observable"] not in left_out.get(name, ())]
            everything[name] = rows
            arguments.json.parent.mkdir(parents=True, exist_ok=True)
            arguments.json.write_text(json.dumps(everything, indent=1) + "\n")
            print_tables(name, rows)


def environments(given: list[str]) -> dict[str, Path]:
    """Name → Python that has the program of that name."""
    found = {}
    for text in given:
        name, _, python = text.partition("=")
        if name not in (*DRIVERS, "all") or not python:
            raise SystemExit(f"--environment is {text!r}, expected NAME=PYTHON with NAME all or one of {', '.join(DRIVERS)}")
        if not Path(python).is_file():
            raise SystemExit(f"--environment {name} names {python}, which is no file; give the Python of the environment that has {name}")
        for program in DRIVERS if name == "all" else (name,):
            found[program] = Path(python).absolute()  # not resolved: a virtual environment's Python is a link
    return found


def walkers(n_frames: int, seed: int) -> np.ndarray:
    """(n_frames, n_atoms, 3), Å: ions that walk, then a framework that stands."""
    rng = np.random.default_rng(seed)
    start = rng.random((N_IONS + N_FRAMEWORK, 3)) @ CELL + FAR / np.sqrt(3)
    steps = np.sqrt(2 * DIFFUSIVITY * 10.0 * FRAME_TIME) * rng.normal(size=(n_frames, N_IONS, 3))  # 10 Å²/fs are 1 cm²/s
    steps[0] = 0.0
    positions = np.repeat(start[None], n_frames, axis=0)
    positions[:, :N_IONS] += steps.cumsum(0)
    return positions


def vibrating(n_frames: int, seed: int) -> tuple[np.ndarray, int]:
    """Ions on sites that they leave for vacant neighbours in one frame, vibrating with one frequency and amplitude; how many jumps."""
    rng = np.random.default_rng(seed)
    sites = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    place = rng.permutation(len(sites))[:N_IONS]
    standing, n_jumps = sites[place].astype(float), 0
    positions = np.empty((n_frames, N_IONS + N_FRAMEWORK, 3))
    phase = 2 * np.pi * rng.random((N_IONS, 3))
    axes = np.concatenate([np.eye(3, dtype=int), -np.eye(3, dtype=int)])
    for t, frame in enumerate(positions):
        if t and rng.random() < JUMPS_A_FRAME:
            ion, way = rng.integers(N_IONS), axes[rng.integers(6)]
            goal = int(((sites[place[ion]] + way) % 4) @ [16, 4, 1])
            if goal not in place:
                place[ion], n_jumps = goal, n_jumps + 1
                standing[ion] += way
        frame[:N_IONS] = (standing + 0.5) / 4 @ CELL
        frame[:N_IONS] += np.sqrt(2) * AMPLITUDE * np.cos(2 * np.pi * FREQUENCY * t * VIBRATION_TIME / 1000 + phase)
        frame[N_IONS:] = (sites[:: 64 // N_FRAMEWORK][:N_FRAMEWORK]) / 4 @ CELL
    return positions, n_jumps


def samples(folder: Path, arguments: argparse.Namespace) -> tuple[dict[str, list[Path]], dict[str, dict[str, float]]]:
    """The files that the drivers read, and what is known of them, by the name of what is in them."""
    found: dict[str, list[Path]] = {"walkers": [], "vibrating": [folder / "vibrating.npz"]}
    symbols, masses = ["Li"] * N_IONS + ["S"] * N_FRAMEWORK, np.array([6.94] * N_IONS + [32.06] * N_FRAMEWORK)
    common = {"width": 0.05, "mobile": "Li", "temperature": 1000.0, "rests": False, "lags": [1, 48], "pair": ["Li", "S"], "r_max": 5.0}
    for seed in range(arguments.runs):
        path = folder / f"walkers_{seed}.npz"
        keep(path, symbols, masses, walkers(arguments.frames, seed), CELL, common | {"frame_time": FRAME_TIME})
        found["walkers"].append(path)
    positions, n_jumps = vibrating(2 * arguments.frames, 0)
    keep(found["vibrating"][0], symbols, masses, positions, CELL, common | {"frame_time": VIBRATION_TIME})
    known = {"walkers": {"tracer diffusivity": DIFFUSIVITY, "charge diffusivity": DIFFUSIVITY, "Haven ratio": 1.0, "unwrapping": 0.0}}
    known["walkers"] |= {f"MSD at {lag} frames": 60 * DIFFUSIVITY * FRAME_TIME * lag for lag in common["lags"]}  # 10 Å²/fs are 1 cm²/s
    known["vibrating"] = {"jumps": n_jumps, "attempt frequency": FREQUENCY, "vibration amplitude": AMPLITUDE}
    for given in arguments.trajectory:
        path = folder / f"{len(found)}.npz"
        name = written(given, path, common)
        found[name], known[name] = [path], {"unwrapping": 0.0}
    return found, known


def written(given: Path, path: Path, common: dict) -> str:
    """Writes a trajectory of ours for the drivers; its name."""
    from mlff.run.analysis.sources import Reading, sources_of
    from mlff.trajectory import Trajectory

    (source,) = sources_of(str(given), Reading())
    system, trajectory = source.system, Trajectory(given)
    if not trajectory.constant_cell or system.temperature is None:
        raise SystemExit(
            f"{given}: found a cell that changes or no temperature, expected a run at constant volume and temperature; give one"
        )
    frames = np.concatenate([part.positions for part in trajectory.chunks(source.first)])
    heights = 1 / np.linalg.norm(np.linalg.inv(system.cell), axis=0)
    words = common | {"frame_time": system.frame_time, "temperature": system.temperature, "rests": system.rests, "mobile": system.mobile}
    words["pair"] = ["P", "S"] if {"P", "S"} <= set(system.symbols) else [system.mobile, system.symbols[system.framework[0]]]
    words["r_max"] = round(0.98 * float(heights.min()) / 2, 1)  # beyond half the cell not all of the programs count all images
    keep(path, list(system.symbols), system.masses, frames, system.cell, words)
    return str(trajectory.about.get("name", given))


def keep(path: Path, symbols: list[str], masses: np.ndarray, positions: np.ndarray, cell: np.ndarray, words: dict) -> None:
    text = np.frombuffer(json.dumps(words).encode(), np.uint8)
    np.savez(path, symbols=np.array(symbols), masses=masses, positions=positions, cell=cell, words=text)


def run(program: str, python: Path, files: list[Path], limit: float) -> dict:
    """What the driver answers, or why it did not."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    counts = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    path = os.pathsep.join([str(ROOT / "scripts/benchmarks"), str(ROOT)])
    surroundings = kept | dict.fromkeys(counts, "1") | {"PYTHONPATH": path}
    command = [python, "-m", f"analysis_drivers.{program}", json.dumps([str(file) for file in files])]
    try:
        done = subprocess.run(command, cwd=files[0].parent, env=surroundings, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return {"failed": f"took longer than {limit:g} s"}
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def rows_of(program: str, answer: dict, true: dict[str, float]) -> list[dict]:
    """Of the first run, with what all runs say of the errors."""
    if "failed" in answer:
        return [{"program": program, "failed": answer["failed"]}]
    rows = []
    for row in answer["rows"][0]:
        same = [r for found in answer["rows"] for r in found if (r["observable"], r["label"]) == (row["observable"], row["label"])]
        exact = true.get(row["observable"])
        told = [r for r in same if r["value"] is not None and r["error"]]
        off = None
        if exact is not None and len(told) > 1:
            off = float(np.sqrt(np.mean([((r["value"] - exact) / r["error"]) ** 2 for r in told])))
        values = [r["value"] for r in same if r["value"] is not None]
        mean = float(np.mean(values)) if len(values) > 1 else None
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
        rows.append(row | {"program": program, "truth": exact, "mean": mean, "spread": spread, "off": off, "versions": answer["versions"]})
    return rows


def print_tables(name: str, rows: list[dict]) -> None:
    """One for each observable."""
    failed = [row for row in rows if "failed" in row]
    found = [row for row in rows if "failed" not in row]
    for observable, group in itertools.groupby(
        sorted(found, key=lambda row: (place(row), row["observable"])), key=lambda row: row["observable"]
    ):
        unit, digits = next(shown for start, shown in OBSERVABLES.items() if observable.startswith(start))
        rows_here = list(group)
        truth = rows_here[0]["truth"]
        known = "" if truth is None else f"; truth {truth:{digits}}"
        print(f"\n{name}: {observable}{f', {unit}' if unit else ''}{known}")
        print(f"{'program':34}{'value':>11}{'error':>11}{'mean':>11}{'spread':>11}{'off':>9}{'ns':>10}  remark")
        for row in rows_here:
            numbers = [shown(row[key], digits) for key in ("value", "error", "mean", "spread")]
            line = f"{row['label']:34}" + "".join(f"{number:>11}" for number in numbers)
            print(f"{line}{shown(row['off'], '.2g'):>9}{shown(row['ns'], '.0f'):>10}  {row['remark']}")
        for row in failed:
            print(f"{row['program']:34}{row['failed']}")


def place(row: dict) -> int:
    return next(k for k, start in enumerate(OBSERVABLES) if row["observable"].startswith(start))


def shown(value: float | None, digits: str) -> str:
    return "–" if value is None else format(value, digits)


if __name__ == "__main__":
    main()
