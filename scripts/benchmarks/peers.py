"""µs per atom and step of energy, forces and stress: this project beside MACE, NequIP, Allegro, SevenNet, NEP and DeePMD.

`python scripts/benchmarks/peers.py --environment mace=/venvs/mace/bin/python --environment nep=/venvs/nep/bin/python --plot`
Each code runs in the environment that it is installed in, through its own ASE calculator, neighbours included, on the same crystal, the
same steps and the same cutoff, with random weights of a published size: time does not depend on the weights. Each row has a process of
its own; rounds take turns, and the least disturbed round of each row counts. CPU time, of all threads, is given beside: other programs
on the machine change it less. All modes of a code are tried, and the table shows the fastest. NEP computes in float64 whatever `--dtype`
says, and on one thread.

Force errors are never made up: the picture takes them from `--errors`, a CSV file with the columns label, data, force_mae (meV/Å) and
source, and from `--measured LABEL=FOLDER`, a run or an evaluation whose metrics.json holds the errors on test frames. A code
whose error is not known is drawn as a vertical line.
"""

import argparse
import csv
import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from scripts.benchmarks.peer_settings import PEERS, Peer, ours

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environment", action="append", default=[], metavar="NAME=PYTHON", help=f"NAME is one of {', '.join(PEERS)}")
    parser.add_argument("--models", nargs="+", default=["lean", "lean2"], help="of this project")
    parser.add_argument("--members", nargs="+", type=int, default=[1, 4], help="of this project's committees")
    parser.add_argument("--size", default="S", help="of this project's models")
    parser.add_argument("--only", nargs="+", help="labels of the other codes' models; all by default")
    parser.add_argument("--modes", nargs="+", help="of the other codes; all by default")
    parser.add_argument("--atoms", nargs="+", type=int, default=[400])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--r-max", type=float, default=5.0, help="Å")
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    parser.add_argument("--seconds", type=float, default=5.0, help="of each row and round")
    parser.add_argument("--least", type=int, default=5, help="steps of each row and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1200.0, help="s, after which a row is given up")
    parser.add_argument("--cache", type=Path, help="folder for compiled models; temporary by default")
    parser.add_argument("--errors", type=Path, help="CSV: label, data, force_mae in meV/Å, source")
    parser.add_argument("--measured", action="append", default=[], metavar="LABEL=FOLDER", help="a run or evaluation on --data")
    parser.add_argument("--data", default="", help="the labelled set whose errors are drawn")
    parser.add_argument("--json", type=Path, default=Path("peers.json"))
    parser.add_argument("--plot", nargs="?", type=Path, const=Path("peers.png"), help="PNG: force error against µs per atom")
    arguments = parser.parse_args()
    pythons = environments(arguments.environment)
    errors = known_errors(arguments)

    from scripts.benchmarks.systems import R_MAX

    peers = {"mlff": ours(arguments.models, arguments.members, arguments.size, arguments.r_max, R_MAX)}
    peers |= {name: PEERS[name] for name in pythons}
    check_choice("--only", arguments.only, {label for name in pythons for label in PEERS[name].models})
    check_choice("--modes", arguments.modes, {mode for name in pythons for mode in PEERS[name].modes})
    with tempfile.TemporaryDirectory() as temporary:
        cache = (arguments.cache or Path(temporary)).resolve()
        rows = measured_rows(peers, {"mlff": Path(sys.executable)} | pythons, cache, errors, arguments)
    print_table(fastest(rows), rows)
    if arguments.plot:
        from scripts.benchmarks.picture import pareto_picture

        n, threads = max(arguments.atoms), min(arguments.threads)
        speeds = {row["label"]: row["us_per_atom"] for row in fastest(rows) if (row["atoms"], row["threads"]) == (n, threads)}
        title = f"{n} atoms, {arguments.r_max:g} Å, {threads} thread{'s' if threads > 1 else ''}"
        pareto_picture(speeds, errors, arguments.plot, title=title, error=f"force MAE {f'on {arguments.data}' if arguments.data else ''}")


def environments(given: list[str]) -> dict[str, Path]:
    """Name → Python, each of which has the code that it is named for."""
    found = {}
    for text in given:
        name, _, python = text.partition("=")
        if name not in PEERS or not python:
            raise SystemExit(f"--environment is {text!r}, expected NAME=PYTHON with NAME one of {', '.join(PEERS)}")
        if not Path(python).is_file():
            raise SystemExit(f"--environment {name} names {python}, which is no file; give the Python of the environment that has {name}")
        module = PEERS[name].module
        done = subprocess.run([python, "-c", f"import {module}"], capture_output=True, text=True, env=surroundings(1))
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise SystemExit(f"{python} cannot import {module} ({last}); install {name} in that environment, or leave it out")
        found[name] = Path(python).absolute()  # not resolved: a virtual environment's Python is a link
    return found


def check_choice(option: str, chosen: list[str] | None, known: set[str]) -> None:
    if unknown := set(chosen or ()) - known:
        raise SystemExit(f"{option} names {sorted(unknown)}, but what the environments given can run is {sorted(known)}")


def surroundings(threads: int) -> dict[str, str]:
    """The environment variables of a row: its threads, and the drivers, which are found without installing anything."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    counts = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "DP_INTRA_OP_PARALLELISM_THREADS")
    alone = {"TF_NUM_INTEROP_THREADS": "1", "DP_INTER_OP_PARALLELISM_THREADS": "1"}
    path = os.pathsep.join([str(ROOT / "scripts/benchmarks"), str(ROOT)])
    return kept | dict.fromkeys(counts, str(threads)) | alone | {"PYTHONPATH": path}


def measured_rows(
    peers: dict[str, Peer], pythons: dict[str, Path], cache: Path, errors: dict[str, float], arguments: argparse.Namespace
) -> list[dict]:
    """One for each model, mode, number of atoms and number of threads, written after each round; `failed` says why one has no time."""
    from scripts.benchmarks.systems import lgps

    rows = []
    for atoms, threads in itertools.product(arguments.atoms, arguments.threads):
        (cache / str(atoms)).mkdir(parents=True, exist_ok=True)
        lgps(atoms).write(cache / str(atoms) / "frame.extxyz")
        for name, peer in peers.items():
            for (label, options), mode in itertools.product(peer.models.items(), peer.modes):
                if name == "mlff" or (label in (arguments.only or [label]) and mode in (arguments.modes or [mode])):
                    row = {"code": name, "label": label, "mode": mode, "options": options, "atoms": atoms, "threads": threads}
                    row |= {"r_max": options.get("r_max", arguments.r_max), "force_mae": errors.get(label), "rounds": []}
                    rows.append(row)
    for _ in range(arguments.rounds):
        for row in rows:
            if "failed" not in row:
                answer = run(row, peers[row["code"]], pythons[row["code"]], cache / str(row["atoms"]), arguments)
                keep(row, answer)
                print(f"{row['label']}, {row['mode']}, {row['atoms']} atoms, {row['threads']} threads: {said(answer)}", flush=True)
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    return rows


def keep(row: dict, answer: dict) -> None:
    """The answer of the fastest round, and the least CPU time of any."""
    if "failed" in answer:
        row |= answer
        return
    row["rounds"].append([answer["us_per_atom"], answer["us_per_atom_cpu"]])
    if answer["us_per_atom"] == min(wall for wall, _ in row["rounds"]):
        row |= answer
    row["us_per_atom_cpu"] = min(cpu for _, cpu in row["rounds"])


def run(row: dict, peer: Peer, python: Path, folder: Path, arguments: argparse.Namespace) -> dict:
    """What the driver answers, or why it did not; the folder holds the frame and what is compiled."""
    request = {"model": row["label"], **{key: row[key] for key in ("options", "mode", "r_max", "threads")}}
    request |= {"frame": str(folder / "frame.extxyz"), "cache": str(folder)}
    request |= {"dtype": arguments.dtype, "seconds": arguments.seconds, "least": arguments.least}
    command = [python, "-m", f"peer_drivers.{peer.driver}", json.dumps(request)]
    try:
        done = subprocess.run(
            command, cwd=folder, env=surroundings(row["threads"]), capture_output=True, text=True, timeout=arguments.limit
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"took longer than {arguments.limit:g} s"}
    if done.returncode:
        return {"failed": "\n".join(done.stderr.strip().splitlines()[-3:]) or f"ended with {done.returncode}"}
    return json.loads(done.stdout.strip().splitlines()[-1])


def said(answer: dict) -> str:
    return f"failed: {answer['failed']}" if "failed" in answer else f"{answer['us_per_atom']:.1f} µs/atom"


def fastest(rows: list[dict]) -> list[dict]:
    """Of each model, number of atoms and number of threads, the row of the fastest mode."""
    best: dict[tuple, dict] = {}
    for row in rows:
        key = (row["label"], row["atoms"], row["threads"])
        if "failed" not in row and (key not in best or row["us_per_atom"] < best[key]["us_per_atom"]):
            best[key] = row
    return sorted(best.values(), key=lambda row: (row["atoms"], row["threads"], row["us_per_atom"]))


def print_table(best: list[dict], rows: list[dict]) -> None:
    print(f"\n{'model':24} {'mode':10} {'atoms':>6} {'threads':>7} {'µs/atom':>8} {'CPU':>8} {'neighbours':>10} {'peak MB':>8}")
    for row in best:
        place = f"{row['label']:24} {row['mode']:10} {row['atoms']:6d} {row['threads']:7d}"
        found = "" if row["us_per_atom_neighbours"] is None else f"{row['us_per_atom_neighbours']:.1f}"
        print(f"{place} {row['us_per_atom']:8.1f} {row['us_per_atom_cpu']:8.1f} {found:>10} {row['peak_mb']:8.0f}  {row['neighbours']}")
    for row in rows:
        if "failed" in row:
            print(f"{row['label']}, {row['mode']}, {row['atoms']} atoms, {row['threads']} threads failed: {row['failed']}")


def known_errors(arguments: argparse.Namespace) -> dict[str, float]:
    """Label → force MAE, meV/Å, on `--data`: as the file says, and as runs measured."""
    errors = {}
    if arguments.errors:
        with open(arguments.errors, newline="") as file:
            reader = csv.DictReader(file)
            if missing := {"label", "data", "force_mae", "source"} - set(reader.fieldnames or ()):
                raise SystemExit(f"{arguments.errors} has no column {sorted(missing)}; expected label, data, force_mae (meV/Å), source")
            listed = list(reader)
        known = sorted({row["data"] for row in listed})
        if arguments.data not in known:
            raise SystemExit(f"--data is {arguments.data!r}, but {arguments.errors} holds errors on {known}; name one of these")
        errors |= {row["label"]: float(row["force_mae"]) for row in listed if row["data"] == arguments.data}
    for text in arguments.measured:
        label, _, folder = text.partition("=")
        file = Path(folder) / "metrics.json"
        if not folder or not file.is_file():
            raise SystemExit(f"--measured is {text!r}, expected LABEL=FOLDER with a metrics.json: a finished run, or an evaluation")
        splits = json.loads(file.read_text())
        errors[label] = splits.get("test", {}).get("overall", {}).get("force_mae")
        if errors[label] is None:
            raise SystemExit(
                f"{file} holds no force error on test frames (it has {sorted(splits)}); evaluate on labelled test frames first"
            )
    return errors


if __name__ == "__main__":
    main()
