"""The benchmark of active learning on a small campaign: every set is labelled, learnt, compared and drawn."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.image import imread

from tests.active.alloy import frames, labelled_file, structure_file

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_three_sets_are_compared_at_a_number_of_labels(tmp_path):
    campaign = tmp_path / "campaign"
    environment = {**os.environ, "MLFF_TEST_CALLS": str(tmp_path / "calls"), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}

    def run(*words: object) -> str:
        done = subprocess.run([sys.executable, *map(str, words)], cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    data = labelled_file(tmp_path / "data.extxyz", frames(20))
    run("-m", "tests.active.driver", campaign, data, structure_file(tmp_path), tmp_path / "steps")
    picture = tmp_path / "curve.png"
    said = run("scripts/benchmarks/active_learning.py", campaign, "--numbers", 20, "--steps", 8, "--plot", picture)
    rows = json.loads((campaign / "benchmark/results.json").read_text())
    assert [(row["set"], row["n"]) for row in rows] == [(name, 20) for name in ("active learning", "random", "one shot")]
    assert all(0 < row["mae"] < row["rmse"] for row in rows)
    assert "which random reaches with 20 labels" in said
    assert "which one shot reaches with 20 labels" in said
    assert imread(picture).std() > 0
