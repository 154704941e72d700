"""The benchmark of the observables runs on its own."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_case_is_timed():
    few = ["--atoms", "60", "--frames", "80", "--chunk", "30", "--pair-frames", "2", "--rounds", "1"]
    done = subprocess.run([sys.executable, ROOT / "scripts/benchmarks/analysis.py", *few], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    times = re.findall(r"([\d.]+) (?:ns per ion and frame|ms per frame)", done.stdout)
    assert len(times) == 6
    assert min(float(t) for t in times) > 0
