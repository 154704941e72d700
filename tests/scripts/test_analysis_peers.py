"""The comparison of analyses runs alone, knows its answers, and refuses what it cannot run."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scripts.benchmarks.analysis_drivers.sample import Sample, row
from scripts.benchmarks.analysis_peers import CELL, DIFFUSIVITY, environments, rows_of, vibrating

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts/benchmarks/analysis_peers.py"


def test_it_runs_without_other_programs(tmp_path):
    few = ["--frames", "200", "--runs", "2", "--json", str(tmp_path / "peers.json")]
    done = subprocess.run([sys.executable, SCRIPT, *few], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "peers.json").read_text())
    assert {r["program"]: r["failed"] for r in found["walkers"] if "failed" in r} == dict.fromkeys(
        ("pymatgen", "kinisi", "gemdat", "mdanalysis", "freud"), "not installed"
    )
    ours = {(r["observable"], r["label"]): r for r in found["walkers"] if "failed" not in r}
    tracer = ours["tracer diffusivity", "ours"]
    assert abs(tracer["mean"] - DIFFUSIVITY) < 4 * tracer["error"]
    assert 0 < tracer["error"] < DIFFUSIVITY
    assert tracer["off"] is not None
    step = ours["MSD at 1 frames", "ours"]
    assert step["value"] == pytest.approx(step["truth"], rel=0.05)  # 48 ions × 199 steps × 3 axes
    vibrations = {r["observable"]: r for r in found["vibrating"] if "failed" not in r}
    assert vibrations["jumps"]["value"] == vibrations["jumps"]["truth"] > 10
    assert vibrations["attempt frequency"]["value"] == pytest.approx(3.0, rel=0.02)
    assert vibrations["vibration amplitude"]["value"] == pytest.approx(0.3, rel=0.05)
    assert "walkers: tracer diffusivity, cm²/s; truth 1.000e-05" in done.stdout
    assert "freud                             not installed" in done.stdout


def test_what_is_off_is_counted_in_told_errors():
    values = [1.0, 4.0]  # 2 and 1 told errors from the truth
    runs = [[row("Haven ratio", "x", value, error)] for value, error in zip(values, [0.5, 2.0], strict=True)]
    (found,) = rows_of("x", {"versions": {}, "rows": runs}, {"Haven ratio": 2.0})
    assert found["off"] == pytest.approx(np.sqrt((2.0**2 + 1.0**2) / 2))
    assert (found["value"], found["mean"]) == (1.0, 2.5)
    assert found["spread"] == pytest.approx(np.std(values, ddof=1))


def test_jumps_of_the_ions_that_vibrate_are_counted():
    positions, n_jumps = vibrating(300, seed=1)
    steps = np.diff(positions[:, :48] @ np.linalg.inv(CELL), axis=0)
    assert (abs(steps).max(-1) > 0.125).sum() == n_jumps > 10  # a jump is a quarter of the cell


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("lammps=/usr/bin/python", "expected NAME=PYTHON with NAME all or one of pymatgen"),
        ("freud=/nowhere/python", "names /nowhere/python, which is no file"),
    ],
)
def test_other_environments_are_refused(given, message):
    with pytest.raises(SystemExit, match=message):
        environments([given])


def test_the_cell_of_other_programs_has_the_same_lengths_and_angles():
    rng = np.random.default_rng(0)
    cell = CELL @ np.linalg.qr(rng.normal(size=(3, 3)))[0]
    settings = dict.fromkeys(Sample.__dataclass_fields__) | {"cell": cell}
    upright = Sample(**settings).upright
    np.testing.assert_allclose(upright @ upright.T, cell @ cell.T, atol=1e-9)
    np.testing.assert_allclose(upright[[0, 0, 1], [1, 2, 2]], 0, atol=1e-9)
    assert (np.diag(upright) > 0).all()
