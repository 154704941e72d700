"""Glasses that a study makes: other seeds for the test, and runs that are there are not run again."""

import numpy as np
import pytest

from mlff.trajectory import Trajectory
from softness.study.simulation import simulated

WORDS = {
    "overrides": [
        "structures=[Li3PS4_gamma]",
        "temperatures=[300]",
        "protocol.equilibration=0.02",
        "protocol.production=0.04",
        "record.frames=10",
        "record.chunk=20",
        "threads=1",
    ],
    "train_seeds": [0],
    "test_seeds": [1, 2],
}


def test_runs_are_made_once(tmp_path):
    runs = simulated("bundled:li3ps4", WORDS, tmp_path)
    found = {side: sorted(path.name for path in (tmp_path / "md" / side / "replicas").iterdir()) for side in runs}
    assert {side: len(names) for side, names in found.items()} == {"train": 1, "test": 2}
    trajectory = tmp_path / "md/train/replicas" / found["train"][0] / "trajectory"
    assert Trajectory(trajectory).n_frames >= 4
    before = Trajectory(trajectory).steps
    assert simulated("bundled:li3ps4", WORDS, tmp_path) == runs
    np.testing.assert_array_equal(Trajectory(trajectory).steps, before)


def test_the_test_has_glasses_of_its_own(tmp_path):
    with pytest.raises(ValueError, match=r"found seeds \[1\] in training and in test"):
        simulated("bundled:li3ps4", WORDS | {"train_seeds": [0, 1]}, tmp_path)
