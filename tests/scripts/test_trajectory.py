"""The benchmark of trajectories measures each form, and shows the error that each makes."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_benchmark_measures_every_form():
    few = ["--atoms", "30", "--frames", "120", "--rounds", "1"]
    done = subprocess.run([sys.executable, "-m", "scripts.benchmarks.trajectory", *few], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = {line[:34].strip(): line[34:].split() for line in done.stdout.splitlines()[2:] if not line.startswith("XTC: not measured")}
    assert {"store, 2^-16 Å, the default", "store, 2^-13 Å", "store, with velocities", "extxyz by ASE"} <= rows.keys()
    for name, (write, read, room, error) in rows.items():
        assert float(write) > 0
        assert float(read) > 0
        assert 2 < float(room) < 200, name
        assert float(error) < 1e-2, name
    assert float(rows["store, 2^-13 Å"][3]) > float(rows["store, 2^-16 Å, the default"][3]) > 1e-6
