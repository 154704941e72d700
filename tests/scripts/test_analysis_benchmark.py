"""The benchmark of the analysis runs, and tells what each observable costs."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_tells_the_cost_of_each_observable(tmp_path):
    few = ["--frames", "60", "--threads", "1", "--observables", "msd", "pair_distribution", "--trajectory", tmp_path / "t"]
    done = subprocess.run([sys.executable, ROOT / "scripts/benchmarks/analysis.py", *few], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "1000 atoms, 60 frames" in done.stdout
    costs = {name: float(cost) for name, cost in re.findall(r"^(msd|pair_distribution) +([0-9.]+)", done.stdout, re.M)}
    assert costs.keys() == {"msd", "pair_distribution"}
    assert min(costs.values()) > 0
    assert re.search(r"a million frames of as many atoms: [0-9.]+ minutes, [0-9.]+ if all grew with them", done.stdout)
