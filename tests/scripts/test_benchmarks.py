"""The comparison with other codes runs alone, refuses what it cannot run, draws only errors that are known; what selection saves."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.image import imread

from scripts.benchmarks.active_learning import saving
from scripts.benchmarks.peer_drivers.steps import REACH, timed_steps
from scripts.benchmarks.peers import fastest, keep, main
from scripts.benchmarks.picture import learning_picture, pareto_front, pareto_picture, size_picture

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "scripts/benchmarks/peers.py"


def test_the_comparison_runs_without_other_codes(data_folder, tmp_path):
    errors = tmp_path / "errors.csv"
    errors.write_text("label,data,force_mae,source\nlean,A,40,a test\nlean,B,50,a test\n")
    few = ["--models", "lean", "--members", "1", "--size", "XS", "--atoms", "64", "--threads", "1", "--r-max", "4"]
    few += ["--seconds", "0", "--least", "2", "--rounds", "1", "--errors", str(errors), "--data", "B"]
    written = ["--json", str(tmp_path / "peers.json"), "--plot", str(tmp_path / "peers.png")]
    done = subprocess.run([sys.executable, PEERS, *few, *written], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = {row["label"]: row for row in json.loads((tmp_path / "peers.json").read_text())}
    assert {label: row["r_max"] for label, row in rows.items()} == {"lean": 4.0, "lean, 6.5 Å": 6.5}
    assert {label: row["force_mae"] for label, row in rows.items()} == {"lean": 50.0, "lean, 6.5 Å": None}
    for label, row in rows.items():
        assert row["steps"] == 2
        assert row["us_per_atom"] > 0
        assert row["us_per_atom_cpu"] > 0
        assert row["peak_mb"] > 50  # Python with torch holds more
        assert label in done.stdout
    assert imread(tmp_path / "peers.png").std() > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--environment", "mice=/usr/bin/python3"], "expected NAME=PYTHON with NAME one of mace, nequip"),
        (["--environment", "mace=/nowhere/bin/python"], "/nowhere/bin/python, which is no file; give the Python of the environment"),
        (["--environment", f"mace={sys.executable}"], "cannot import mace.calculators"),
        (["--only", "MACE 64x0e"], "--only names ['MACE 64x0e'], but what the environments given can run is []"),
        (["--measured", "lean2=/nowhere"], "expected LABEL=FOLDER with a metrics.json"),
    ],
)
def test_what_cannot_run_is_refused(arguments, message, monkeypatch):
    assert message in refusal(monkeypatch, *arguments)


def test_errors_on_other_data_are_refused(tmp_path, monkeypatch):
    errors = tmp_path / "errors.csv"
    errors.write_text("label,data,force_mae,source\nlean,A,40,a test\n")
    assert "holds errors on ['A']; name one of these" in refusal(monkeypatch, "--errors", str(errors), "--data", "B")


def test_a_run_without_test_frames_gives_no_error(tmp_path, monkeypatch):
    (tmp_path / "metrics.json").write_text(json.dumps({"val": {"overall": {"force_mae": 20.0}}}))
    assert "holds no force error on test frames (it has ['val'])" in refusal(monkeypatch, "--measured", f"lean={tmp_path}")


def refusal(monkeypatch, *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", [str(PEERS), *arguments])
    with pytest.raises(SystemExit) as refused:
        main()
    return str(refused.value)


def test_the_fastest_round_and_the_least_cpu_time_are_kept():
    row = {"rounds": []}
    for wall, cpu in ((30.0, 9.0), (20.0, 10.0), (25.0, 11.0)):
        keep(row, {"us_per_atom": wall, "us_per_atom_cpu": cpu, "steps": wall})
    assert (row["us_per_atom"], row["us_per_atom_cpu"], row["steps"]) == (20.0, 9.0, 20.0)


def test_the_fastest_mode_is_shown_and_a_failed_one_is_not():
    rows = [{"label": "a", "atoms": 1, "threads": 1, "mode": mode, "us_per_atom": time} for mode, time in (("x", 2.0), ("y", 1.0))]
    rows.append({"label": "b", "atoms": 1, "threads": 1, "mode": "x", "failed": "no compiler"})
    assert [(row["label"], row["mode"]) for row in fastest(rows)] == [("a", "y")]


def test_pictures_are_written(tmp_path):
    rows = [
        {"model": "lean", "size": "S", "members": members, "threads": threads, "atoms": atoms, "us_per_atom": 10.0 * members / threads}
        for members in (1, 4)
        for threads in (1, 2)
        for atoms in (64, 1000)
    ]
    size_picture(rows, tmp_path / "size.png")
    times = {"fast": 10.0, "slow": 100.0, "worse": 120.0, "unmeasured": 50.0}
    pareto_picture(times, {"fast": 40.0, "slow": 20.0, "worse": 30.0, "not timed": 1.0}, tmp_path / "some.png", title="t", error="e")
    pareto_picture(times, {}, tmp_path / "none.png", title="t", error="e")
    learning_picture({"chosen": [(50, 40.0), (100, 20.0)], "random": [(100, 40.0)]}, tmp_path / "learning.png", title="t")
    for name in ("size", "some", "none", "learning"):
        picture = imread(tmp_path / f"{name}.png")
        assert min(picture.shape[:2]) > 500
        assert picture.std() > 0


def test_labels_needed_for_the_same_error_follow_a_power_law():
    chosen = [(50, 80.0), (100, 40.0), (200, 20.0)]  # 4000 / n
    assert "random reaches with 400 labels: active learning needs 160 (40%)" in saving(chosen, [(200, 60.0), (400, 25.0)], "random")
    assert "active learning has less with its first 50" in saving(chosen, [(400, 90.0)], "random")
    assert "active learning does not reach it with 200, but 20.0" in saving(chosen, [(400, 19.0)], "random")


def test_the_front_holds_what_no_other_point_beats():
    assert pareto_front([(100.0, 20.0), (10.0, 40.0), (120.0, 30.0), (50.0, 41.0)]) == [(10.0, 40.0), (100.0, 20.0)]


def test_steps_move_the_atoms_and_turn_back(rng):
    start = rng.normal(size=(5, 3))
    seen = []
    taken = timed_steps(lambda positions: seen.append(positions.copy()), start, seconds=0.0, least=2 * REACH)
    assert len(taken) == len(seen) == 2 * REACH
    away = [abs(positions - start).max() for positions in seen]
    assert away[0] > 0
    assert away[REACH - 1] == max(away)
    assert away[2 * REACH - 1] < 1e-12  # Å: back where it began, but for rounding


def test_the_cost_of_dynamics_is_measured_beside_the_model(tmp_path):
    few = [
        "--repeat",
        "1,1,1",
        "--replicas",
        "2",
        "--steps",
        "20",
        "--rounds",
        "1",
        "--without",
        "LAMMPS",
        "--json",
        str(tmp_path / "md.json"),
    ]
    done = subprocess.run([sys.executable, ROOT / "scripts/benchmarks/md.py", *few], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = {(row["replicas"], row["what"]): row for row in json.loads((tmp_path / "md.json").read_text())}
    assert {(1, "model"), (1, "CSVR, RC, whole run"), (1, "ASE, NVE"), (2, "NVE")} <= rows.keys()
    for row in rows.values():
        assert row["ns_per_day"] * row["us_per_atom"] * row["atoms"] * row["replicas"] == pytest.approx(86400 * 2e-6 * 1e6)  # of 2 fs
    assert rows[1, "model"]["of_model"] == 1
