"""What is wrong with a trajectory is said, or bounds what can be said; nothing is left half-written."""

import json

import numpy as np
import pytest
from ase import Atoms
from ase.io import write

from mlff.run.analysis import analyze
from mlff.trajectory import Frames, TrajectoryWriter
from tests.run.analysis.conftest import SIDE, SYMBOLS
from tests.run.analysis.test_analyze import numbers, settings


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFF_CACHE", str(tmp_path / "cache"))


def images(rng, n: int, **cell) -> list[Atoms]:
    first = Atoms(SYMBOLS, SIDE * rng.random((18, 3)), **({"cell": SIDE * np.eye(3), "pbc": True} | cell))
    found = [first]
    for _ in range(n - 1):
        found.append(found[-1].copy())
        found[-1].positions += 0.02 * rng.normal(size=(18, 3))
    return found


def refused(path, tmp_path, message: str, *overrides: str) -> None:
    with pytest.raises(ValueError, match=message):
        analyze(settings(path, tmp_path / "out", "timestep=10", "temperature=600", *overrides))
    assert not (tmp_path / "out").exists()
    assert not [*(tmp_path / "cache").rglob("*.partial")]


def test_a_file_that_ends_inside_a_frame(rng, tmp_path):
    path = tmp_path / "run.extxyz"
    write(path, images(rng, 9))
    path.write_bytes(path.read_bytes()[:-700])
    refused(path, tmp_path, "8 whole frames")


def test_frames_of_other_atoms(rng, tmp_path):
    frames = images(rng, 6)
    del frames[4][3]
    write(tmp_path / "run.extxyz", frames)
    refused(tmp_path / "run.extxyz", tmp_path, "17")


def test_one_frame(rng, tmp_path):
    write(tmp_path / "run.extxyz", images(rng, 1))
    refused(tmp_path / "run.extxyz", tmp_path, "expected at least 2")


def test_an_axis_without_periodicity(rng, tmp_path):
    write(tmp_path / "run.extxyz", images(rng, 6, pbc=[True, True, False]))
    refused(tmp_path / "run.extxyz", tmp_path, r"without periodicity \(c\)")


def test_no_time(rng, tmp_path):
    write(tmp_path / "run.extxyz", images(rng, 6))
    with pytest.raises(ValueError, match="timestep"):
        analyze(settings(tmp_path / "run.extxyz", tmp_path / "out"))


def test_ions_that_stand_give_bounds(tmp_path, rng):
    positions = np.broadcast_to(SIDE * rng.random((18, 3)), (300, 18, 3))
    cells = np.broadcast_to(SIDE * np.eye(3), (300, 3, 3))
    with TrajectoryWriter.create(tmp_path / "t", Atoms(SYMBOLS, positions[0], cell=cells[0], pbc=True), {"timestep": 1.0}) as writer:
        writer.append(Frames(100 * np.arange(300), positions, cells))
    analyze(settings(tmp_path / "t", tmp_path / "out", "temperature=600", "pictures=[]"))
    (found,) = numbers(tmp_path / "out").values()
    told = found["tracer diffusivity of Li"]
    assert "value" not in told
    # the rule of three: 3 jumps of 3 Å by 12 ions in 29.9 ps
    assert told["upper"] == pytest.approx(3.0 * 9 / (6 * 12 * 29.9e3) / 10, rel=0.01)
    assert "nothing moved" in told["reason"]


def test_velocities_that_are_missing_leave_their_observable_out(run, tmp_path):
    page = analyze(settings(run, tmp_path / "out", "pictures=[]", "observables=[msd,vibrations]"))
    left_out = json.loads((tmp_path / "out" / "numbers.json").read_text())["left_out"]
    assert "found no velocities" in left_out["vibrations"]
    assert "found no velocities" in page.read_text(encoding="utf-8")


def test_an_observable_alone_that_does_not_apply(run, tmp_path):
    with pytest.raises(ValueError, match=r"no observable applies .*found no velocities"):
        analyze(settings(run, tmp_path / "out", "observables=[vibrations]"))
