"""A campaign whose driver is killed by -9 in training, in exploration and in labelling, beside one that nothing interrupts."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from mlff.active.ledger import Ledger
from mlff.active.record import Record
from mlff.trajectory import Trajectory
from tests.active.alloy import frames, labelled_file, structure_file
from tests.active.processes import wait_until, workers_of

ROOT = Path(__file__).parents[2]


class Driver:
    """A process that runs the campaign of a folder."""

    def __init__(self, folder: Path, data: Path, structure: str):
        self.folder, self.calls, self.steps = folder / "campaign", folder / "calls", folder / "steps"
        self.place = self.folder / "rounds" / "000"
        folder.mkdir()
        self.command = [sys.executable, "-m", "tests.active.driver", str(self.folder), str(data), structure, str(self.steps)]

    def start(self) -> subprocess.Popen:
        environment = {**os.environ, "MLFF_TEST_CALLS": str(self.calls), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(self.command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def finish(self) -> None:
        process = self.start()
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said

    def kill_when(self, there: Callable[[], bool]) -> None:
        with self.start() as process:
            wait_until(lambda: there() or process.poll() is not None, 300)
            assert process.poll() is None, process.stdout.read()
            process.kill()
        wait_until(lambda: not workers_of(process.pid), 20)

    def record(self) -> Record:
        return Record.read(self.place / "round.json")

    def n_labels(self) -> int:
        return len(lines(self.calls))

    def trajectories(self) -> list[tuple[str, Trajectory]]:
        return [(place.name, Trajectory(place / "trajectory")) for place in sorted((self.place / "exploration" / "replicas").iterdir())]


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


@pytest.mark.slow
def test_a_driver_killed_in_training_exploration_and_labelling_repeats_and_loses_nothing(tmp_path):
    data, structure = labelled_file(tmp_path / "data.extxyz", frames(40)), structure_file(tmp_path)
    whole, killed = (Driver(tmp_path / name, data, structure) for name in ("whole", "killed"))
    whole.finish()

    killed.kill_when(lambda: (killed.place / "training" / "checkpoints" / "last.ckpt").exists())
    assert not (killed.place / "training" / "model").exists()
    killed.kill_when(lambda: len(lines(killed.steps)) > 14)  # of 30 that are shown; a checkpoint is made after each five
    explored = len(lines(killed.steps))
    killed.kill_when(lambda: killed.n_labels() >= 4)  # of eight
    labelled = killed.n_labels()
    killed.finish()

    # the dynamics: each step once, but for those between the last checkpoint and the kill
    again = Counter(lines(killed.steps)) - Counter(lines(whole.steps))
    assert 15 <= explored < 30
    assert sum(again.values()) < 10
    # the labels: each frame once, but for the one that was under way
    assert 4 <= labelled < 8
    assert whole.n_labels() == 8
    assert killed.n_labels() - 8 in (0, 1)
    assert timeless(killed.record()) == timeless(whole.record())
    with closing(Ledger(killed.folder / "labels")) as ledger:  # what was labelled before the kill has its cost too
        assert killed.record().core_hours == pytest.approx(ledger.core_hours())
    # and all that is left is the same
    for name in ("selected.extxyz", "labelled.extxyz", "judged.json", "training/model/weights.safetensors"):
        assert (killed.place / name).read_bytes() == (whole.place / name).read_bytes()
    for (name, one), (same, other) in zip(killed.trajectories(), whole.trajectories(), strict=True):
        assert name == same
        np.testing.assert_array_equal(one.steps, other.steps)
        for frame, twin in zip(one, other, strict=True):
            np.testing.assert_array_equal(frame.positions, twin.positions)


def timeless(record: Record) -> dict:
    return {name: value for name, value in vars(record).items() if name not in ("seconds", "core_hours")}
