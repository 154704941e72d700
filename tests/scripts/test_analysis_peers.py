"""The comparison with other programs runs without them, and our numbers in it are the known ones."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_runs_with_our_numbers_alone(tmp_path):
    command = [
        sys.executable,
        ROOT / "scripts/benchmarks/analysis_peers.py",
        "--frames",
        "300",
        "--runs",
        "1",
        "--json",
        tmp_path / "t.json",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "ours" in done.stdout
    assert "Haven ratio" in done.stdout
    assert json.loads((tmp_path / "t.json").read_text())
