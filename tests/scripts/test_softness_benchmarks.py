"""The benchmark of what softness costs runs."""

import subprocess
import sys
from pathlib import Path

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
