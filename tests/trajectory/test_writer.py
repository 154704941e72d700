"""What is written reads back, whatever the appends; what is refused leaves no trace; a run that goes on was never interrupted."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from mlff.trajectory import Frames, Series, Trajectory, TrajectoryWriter
from tests.trajectory.paths import assert_same, content, path_of, some, some_of, sulphide

ROOT = Path(__file__).parents[2]
ABOUT = {"timestep": 2.0, "ensemble": "nvt", "seeds": [1, 2]}
ROUNDING = 7.7e-6  # Å: half of 2⁻¹⁶ Å, and the rounding of float64


def velocities_of(frames: Frames, rng: np.random.Generator) -> Series:
    return Series(frames.steps, {"velocities": rng.normal(scale=0.01, size=frames.positions.shape)})


def test_what_is_written_reads_back(tmp_path, rng, thermo):
    atoms = sulphide(rng)
    atoms.set_masses(np.linspace(5, 40, len(atoms)))
    atoms.pbc = [True, True, False]
    frames = path_of(atoms, 37, rng, fluctuating=True)
    velocities, values = velocities_of(frames, rng), thermo(50, 7)
    with TrajectoryWriter.create(tmp_path / "t", atoms, ABOUT, chunk=10) as writer:
        writer.append(frames, velocities=velocities, thermo=values)
    trajectory = Trajectory(tmp_path / "t")
    found = content(tmp_path / "t")
    assert (trajectory.n_frames, trajectory.n_atoms, len(trajectory)) == (37, 12, 37)
    assert trajectory.about == ABOUT
    assert trajectory.series_names == ("velocities", "thermo")
    np.testing.assert_array_equal(trajectory.numbers, atoms.numbers)
    np.testing.assert_array_equal(trajectory.masses, atoms.get_masses())
    np.testing.assert_array_equal(trajectory.pbc, atoms.pbc)
    np.testing.assert_array_equal(trajectory.times, frames.steps * 2.0)
    np.testing.assert_array_equal(found["steps"], frames.steps)
    np.testing.assert_allclose(found["positions"], frames.positions, rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(found["cells"], frames.cells, rtol=0, atol=1e-14)
    assert found["velocities/velocities"].dtype == np.float32
    np.testing.assert_array_equal(found["velocities/velocities"], velocities.values["velocities"].astype(np.float32))
    assert found["thermo/temperature"].dtype == np.float64
    for name, array in values.values.items():
        np.testing.assert_array_equal(found[f"thermo/{name}"], array)
    np.testing.assert_array_equal(found["thermo/steps"], values.steps)


@pytest.mark.parametrize("fluctuating", [False, True])
def test_far_from_the_origin_and_after_a_long_way_nothing_is_lost(tmp_path, rng, fluctuating):
    """500 Å from the origin, where float32 positions would be wrong by 3e-5 Å, and 1000 Å further on."""
    atoms = sulphide(rng)
    atoms.positions += 500
    frames = path_of(atoms, 30, rng, fluctuating)
    way = np.linspace(0, 1000, 30)[:, None, None] * np.array([1.0, -1.0, 1.0]) / np.sqrt(3)
    frames = Frames(frames.steps, frames.positions + way, frames.cells)
    assert np.abs(frames.positions.astype(np.float32) - frames.positions).max() > 2e-5
    with TrajectoryWriter.create(tmp_path / "t", atoms, ABOUT, chunk=8) as writer:
        writer.append(frames)
    found = content(tmp_path / "t")
    np.testing.assert_allclose(found["positions"], frames.positions, rtol=0, atol=1e-5)
    np.testing.assert_allclose(found["cells"], frames.cells, rtol=0, atol=1e-14)


def test_a_constant_cell_is_exact_and_takes_next_to_no_room(tmp_path, rng):
    atoms = sulphide(rng)
    with TrajectoryWriter.create(tmp_path / "t", atoms, ABOUT, chunk=10) as writer:
        writer.append(path_of(atoms, 4000, rng))
    room = sum(file.stat().st_size for file in (tmp_path / "t/frames/cell_changes").rglob("*") if file.is_file())
    assert room < 4000  # bytes, one for each frame
    np.testing.assert_array_equal(content(tmp_path / "t")["cells"], np.broadcast_to(atoms.cell.array, (4000, 3, 3)))


def test_a_molecule_without_a_cell(tmp_path, rng):
    atoms = Atoms("H2O", rng.normal(size=(3, 3)))
    frames = Frames(np.arange(5), rng.normal(size=(5, 3, 3)), np.zeros((5, 3, 3)))
    with TrajectoryWriter.create(tmp_path / "t", atoms, ABOUT, chunk=2) as writer:
        writer.append(frames)
    np.testing.assert_allclose(content(tmp_path / "t")["positions"], frames.positions, rtol=0, atol=ROUNDING)
    assert Trajectory(tmp_path / "t")[3].pbc.tolist() == [False] * 3


def test_another_precision(tmp_path, rng):
    atoms = sulphide(rng)
    frames = path_of(atoms, 12, rng)
    for precision in (2.0**-10, 2.0**-20):
        with TrajectoryWriter.create(tmp_path / str(precision), atoms, ABOUT, chunk=5, precision=precision) as writer:
            writer.append(frames)
        error = np.abs(content(tmp_path / str(precision))["positions"] - frames.positions).max()
        assert 0.4 * precision < error < 0.501 * precision


@pytest.mark.parametrize("sizes", [[1], [3, 1, 7], [10], [25], [53]])
def test_any_chunking_of_the_appends_reads_the_same(tmp_path, rng, thermo, sizes):
    atoms = sulphide(rng)
    frames, values = path_of(atoms, 53, rng, fluctuating=True), thermo(53, 10)
    velocities = velocities_of(frames, rng)
    with TrajectoryWriter.create(tmp_path / "once", atoms, ABOUT, chunk=10) as writer:
        writer.append(frames, velocities=velocities, thermo=values)
    with TrajectoryWriter.create(tmp_path / "parts", atoms, ABOUT, chunk=10) as writer:
        begin, k = 0, 0
        while begin < 53:
            end = begin + sizes[k % len(sizes)]
            writer.append(some(frames, begin, end), velocities=some_of(velocities, begin, end))
            writer.append(thermo=some_of(values, begin, end))
            begin, k = end, k + 1
    assert_same(content(tmp_path / "once"), content(tmp_path / "parts"))


@pytest.mark.parametrize("keep", [-1, 0, 5, 90, 95, 99, 100, 230, 245, 520, 10**6])
def test_reopened_at_a_step_and_continued_is_never_interrupted(tmp_path, rng, keep):
    """Chunks end at steps 90, 190, …; thermo, every step, has entries between the frames."""
    atoms = sulphide(rng)
    frames = path_of(atoms, 53, rng, fluctuating=True)
    velocities = velocities_of(frames, rng)
    values = Series(np.arange(523), {"temperature": rng.normal(size=523)})

    def since(step: int, array):
        return int(np.searchsorted(array.steps, step, side="right"))

    with TrajectoryWriter.create(tmp_path / "whole", atoms, ABOUT, chunk=10) as writer:
        writer.append(frames, velocities=velocities, thermo=values)
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    with TrajectoryWriter.open(tmp_path / "cut", keep) as writer:
        cut = content(tmp_path / "cut")
        for name in ("steps", "velocities/steps", "thermo/steps"):
            whole = content(tmp_path / "whole")[name]
            np.testing.assert_array_equal(cut[name], whole[whole <= keep])
        a, b, c = since(keep, frames), since(keep, velocities), since(keep, values)
        writer.append(some(frames, a, a + 1), thermo=some_of(values, c, c + 3))
        writer.append(some(frames, a + 1, 53), velocities=some_of(velocities, b, 53), thermo=some_of(values, c + 3, 523))
    assert_same(content(tmp_path / "whole"), content(tmp_path / "cut"))


def test_what_a_cut_leaves_behind_is_overwritten(tmp_path, rng):
    """Other frames after a cut: nothing of the first ones may show, nor a changed cell where the second is constant."""
    atoms = sulphide(rng)
    first, second = path_of(atoms, 40, rng, fluctuating=True), path_of(atoms, 40, rng)
    with TrajectoryWriter.create(tmp_path / "t", atoms, ABOUT, chunk=10) as writer:
        writer.append(first)
    with TrajectoryWriter.open(tmp_path / "t", 150) as writer:
        writer.append(some(second, 16, 40))
    found = content(tmp_path / "t")
    np.testing.assert_allclose(found["positions"][:16], first.positions[:16], rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(found["positions"][16:], second.positions[16:], rtol=0, atol=ROUNDING)
    np.testing.assert_array_equal(found["cells"][16:], second.cells[16:])


def test_a_series_may_begin_later(tmp_path, rng, thermo):
    atoms = sulphide(rng)
    frames, values = path_of(atoms, 15, rng), thermo(15, 10)
    with TrajectoryWriter.create(tmp_path / "t", atoms, ABOUT, chunk=10) as writer:
        writer.append(some(frames, 0, 12))
        writer.append(some(frames, 12, 15), thermo=some_of(values, 3, 15))
    np.testing.assert_array_equal(content(tmp_path / "t")["thermo/steps"], values.steps[3:])


def refusals(rng: np.random.Generator) -> dict[str, tuple[str, dict]]:
    """What may not follow frames at steps 0 to 40: the message, and what is appended."""
    atoms = sulphide(rng)
    good = path_of(atoms, 7, rng)
    later = Frames(good.steps[5:], good.positions[5:], good.cells[5:])
    bad = later.positions.copy()
    bad[1, 3, 2] = np.nan
    far = later.positions.copy()
    far[0, 0, 0] = 4e4
    steps = later.steps
    ok = {"temperature": np.ones(2), "pressure": np.ones(2)}

    def thermo(values: dict, at=steps) -> dict:
        return {"thermo": Series(np.asarray(at), values)}

    def frames(**other) -> dict:
        return {"frames": Frames(**(vars(later) | other)), **thermo(ok)}

    return {
        "nan": (r"positions of step 60 holds nan at index \(3, 2\), expected finite numbers", frames(positions=bad)),
        "infinite cell": ("cells of step 50 holds inf", frames(cells=np.full((2, 3, 3), np.inf))),
        "atoms": (r"positions of 2 frames have shape \(2, 11, 3\), expected \(2, 12, 3\)", frames(positions=later.positions[:, 1:])),
        "cells": (r"cells of 2 frames have shape \(3, 3\)", frames(cells=later.cells[0])),
        "steps equal": ("step 40 of the frames comes after step 40, expected ascending steps", frames(steps=np.array([40, 50]))),
        "steps back": ("step 50 of the frames comes after step 60", frames(steps=np.array([60, 50]))),
        "steps of floats": ("steps of the frames are float64", frames(steps=np.array([50.0, 60.0]))),
        "far": ("found an ion (39|40)... Å from where it began, expected at most 32768 Å", frames(positions=far)),
        "thermo nan": ("pressure of step 60 holds nan, expected finite", {"frames": later, **thermo(ok | {"pressure": [1.0, np.nan]})}),
        "thermo steps": ("step 40 of thermo comes after step 40", {"frames": later, **thermo(ok, [40, 50])}),
        "thermo rows": (r"temperature of thermo has shape \(3,\), expected \(2,\)", thermo(ok | {"temperature": np.ones(3)})),
        "thermo less": (r"thermo holds \{'temperature': \(\)\}, expected .*'pressure'", thermo({"temperature": np.ones(2)})),
        "thermo other": ("as before; store others under another name", thermo(ok | {"volume": np.ones(2)})),
        "no values": ("holds no values", {"other": Series(steps, {})}),
        "text": ("found 'phase' of <U5 in other, expected real numbers", {"other": Series(steps, {"phase": np.array(["solid", "melt"])})}),
        "name": ("found a series named 'atoms'", {"atoms": Series(steps, ok)}),
        "velocities": (r"expected \(2, 12, 3\)", {"velocities": Series(steps, {"velocities": np.ones((2, 11, 3))})}),
        "velocities and more": (
            r"holds \['velocities', 'x'\], expected \['velocities'\]",
            {"velocities": Series(steps, {"velocities": np.ones((2, 12, 3)), "x": np.ones((2, 12, 3))})},
        ),
        "float32": ("velocities of step 50 holds inf", {"velocities": Series(steps, {"velocities": np.full((2, 12, 3), 1e39)})}),
    }


@pytest.mark.parametrize("name", list(refusals(np.random.default_rng(0))))
def test_bad_input_is_refused_and_leaves_the_store_as_it_was(tmp_path, rng, thermo, name):
    atoms = sulphide(rng)
    good = path_of(atoms, 7, rng)
    message, bad = refusals(rng)[name]
    with TrajectoryWriter.create(tmp_path / "t", atoms, ABOUT, chunk=4) as writer:
        writer.append(some(good, 0, 5), thermo=thermo(5, 10))
        before = {path: path.read_bytes() for path in (tmp_path / "t").rglob("*") if path.is_file()}
        with pytest.raises(ValueError, match=message):
            writer.append(**bad)
        assert {path: path.read_bytes() for path in (tmp_path / "t").rglob("*") if path.is_file()} == before
        writer.append(some(good, 5, 7))  # the writer still works
    assert len(Trajectory(tmp_path / "t")) == 7


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({}, r"about\['timestep'\] is None, expected a positive number of fs"),
        ({"timestep": 0}, "is 0, expected a positive number"),
        ({"timestep": "1 fs"}, "is '1 fs', expected a positive number"),
        ({"timestep": 1.0, "cell": np.eye(3)}, "found what JSON cannot hold in about .*ndarray"),
        ({"timestep": 1.0, "target": float("nan")}, "found what JSON cannot hold in about"),
    ],
)
def test_about_must_be_told_in_json(tmp_path, rng, about, message):
    with pytest.raises(ValueError, match=message):
        TrajectoryWriter.create(tmp_path / "t", sulphide(rng), about)
    assert not any(tmp_path.iterdir())


def test_a_reference_that_is_not_finite_is_refused(tmp_path, rng):
    atoms = sulphide(rng)
    atoms.positions[0, 0] = np.nan
    with pytest.raises(ValueError, match="positions of step 0 holds nan"):
        TrajectoryWriter.create(tmp_path / "t", atoms, ABOUT)
    with pytest.raises(ValueError, match="found 0 atoms, chunk 100"):
        TrajectoryWriter.create(tmp_path / "t", Atoms(), ABOUT)
    assert not any(tmp_path.iterdir())


def test_a_taken_path_is_refused(tmp_path, rng):
    atoms = sulphide(rng)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")
    TrajectoryWriter.create(tmp_path / "t", atoms, ABOUT).close()
    for taken in ("full", "full/notes.txt", "t"):
        with pytest.raises(ValueError, match=r"found something there already, expected a new folder; name another, or go on with"):
            TrajectoryWriter.create(tmp_path / taken, atoms, ABOUT)
    assert (tmp_path / "full/notes.txt").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    TrajectoryWriter.create(tmp_path / "empty", atoms, ABOUT).close()


def test_one_process_writes(tmp_path, rng):
    atoms = sulphide(rng)
    with TrajectoryWriter.create(tmp_path / "t", atoms, ABOUT) as writer:
        with pytest.raises(ValueError, match="found another process that writes it"):
            TrajectoryWriter.open(tmp_path / "t", 0)
        writer.append(path_of(atoms, 2, rng))
    with TrajectoryWriter.open(tmp_path / "t", 0) as writer:
        pass
    with pytest.raises(ValueError, match="found a writer that was closed"):
        writer.append(path_of(atoms, 2, rng))


def test_a_writer_that_could_not_begin_holds_nothing(tmp_path, rng):
    TrajectoryWriter.create(tmp_path / "t", sulphide(rng), ABOUT).close()
    journal = (tmp_path / "t/journal").read_bytes()
    (tmp_path / "t/journal").unlink()
    with pytest.raises(ValueError, match="found no whole record, expected the journal of a trajectory"):
        TrajectoryWriter.open(tmp_path / "t", 0)
    (tmp_path / "t/journal").write_bytes(journal)
    TrajectoryWriter.open(tmp_path / "t", 0).close()


def test_a_full_disk_leaves_no_half_append(tmp_path, rng, monkeypatch):
    atoms = sulphide(rng)
    frames = path_of(atoms, 4, rng)
    write = os.write

    def full(file, data):
        if len(data) < 200:
            raise OSError(28, "No space left on device")
        return write(file, data[:150])

    with TrajectoryWriter.create(tmp_path / "t", atoms, ABOUT) as writer:
        writer.append(some(frames, 0, 2))
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(OSError, match="No space left"):
                writer.append(some(frames, 2, 3))
        assert len(Trajectory(tmp_path / "t")) == 2
        writer.append(some(frames, 2, 4))
    np.testing.assert_allclose(content(tmp_path / "t")["positions"], frames.positions, rtol=0, atol=ROUNDING)


def test_a_journal_cut_anywhere_holds_the_appends_before(tmp_path, rng, thermo):
    """What a kill in the middle of a write leaves."""
    atoms = Atoms("LiCl", [[0, 0, 0], [2, 0, 0]], cell=np.eye(3) * 5, pbc=True)
    frames, values = path_of(atoms, 3, rng), thermo(3, 10)
    with TrajectoryWriter.create(tmp_path / "t", atoms, ABOUT) as writer:
        ends = []
        for k in range(3):
            writer.append(some(frames, k, k + 1), thermo=some_of(values, k, k + 1))
            ends.append((tmp_path / "t/journal").stat().st_size)
    data = (tmp_path / "t/journal").read_bytes()
    for size in [*range(ends[0], ends[2], 7), *ends, *(end - 1 for end in ends[1:])]:
        (tmp_path / "t/journal").write_bytes(data[:size])
        trajectory = Trajectory(tmp_path / "t")
        expected = sum(end <= size for end in ends)
        assert (len(trajectory), trajectory.n_entries("thermo")) == (expected, expected)
    (tmp_path / "t/journal").write_bytes(data[: ends[1]] + bytes(100))  # what a loss of power may leave
    assert len(Trajectory(tmp_path / "t")) == 2
    with TrajectoryWriter.open(tmp_path / "t", 10**6) as writer:  # goes on after what was cut off
        writer.append(some(frames, 2, 3))
    np.testing.assert_allclose(content(tmp_path / "t")["positions"], frames.positions, rtol=0, atol=ROUNDING)


ENDLESS = """
import sys
import numpy as np
from mlff.trajectory import Frames, Series, TrajectoryWriter

path, seed = sys.argv[1], int(sys.argv[2])
with TrajectoryWriter.open(path, 10**9) as writer:
    rng = np.random.default_rng(seed)
    last = int(sys.argv[3])
    print("begun", flush=True)
    while True:
        n = int(rng.integers(1, 4))
        steps = last + 1 + np.arange(n)
        values = np.sin(steps)
        positions = values[:, None, None] + np.arange(150.0).reshape(50, 3)
        cells = np.eye(3) * (10 + values[:, None, None])
        series = Series(steps, {"value": values})
        writer.append(Frames(steps, positions, cells), thermo=series, velocities=Series(steps, {"velocities": 0 * positions + 1}))
        last = int(steps[-1])
        print(last, flush=True)
"""


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment_only_the_append_under_way_is_lost(tmp_path, seed):
    """A process that appends without end is killed, again and again; every append that it reported is there, whole."""
    atoms = Atoms("Li50", np.arange(150.0).reshape(50, 3), cell=np.eye(3) * 10, pbc=True)
    TrajectoryWriter.create(tmp_path / "t", atoms, ABOUT, chunk=5).close()
    rng = np.random.default_rng(seed)
    last = -1
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for _ in range(5):
        command = [sys.executable, "-c", ENDLESS, str(tmp_path / "t"), str(seed), str(last)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout.readline() == "begun\n"
            time.sleep(rng.uniform(0, 0.2))
            process.send_signal(signal.SIGKILL)
            reported = process.stdout.read()
        whole = [int(line) for line in reported.splitlines(keepends=True) if line.endswith("\n")]
        found = content(tmp_path / "t")
        reported_last = whole[-1] if whole else last
        last = int(found["steps"][-1]) if len(found["steps"]) else -1
        assert reported_last <= last <= reported_last + 3  # the append under way may have arrived
        np.testing.assert_array_equal(found["steps"], np.arange(last + 1))
        if last < 0:
            continue
        for name in ("thermo/steps", "velocities/steps"):
            np.testing.assert_array_equal(found[name], found["steps"])
        values = np.sin(found["steps"])
        np.testing.assert_array_equal(found["thermo/value"], values)
        np.testing.assert_allclose(found["positions"], values[:, None, None] + atoms.positions, rtol=0, atol=ROUNDING)
        np.testing.assert_allclose(found["cells"], np.eye(3) * (10 + values[:, None, None]), rtol=0, atol=1e-14)
        assert (found["velocities/velocities"] == 1).all()
    assert last > 0


def test_reading_while_a_run_writes(tmp_path, rng):
    """A reader shows what there was when it was made, however far the writer has gone on."""
    atoms = sulphide(rng)
    frames = path_of(atoms, 100, rng, fluctuating=True)
    with TrajectoryWriter.create(tmp_path / "t", atoms, ABOUT, chunk=10) as writer:
        readers = []
        for k in range(0, 100, 3):
            writer.append(some(frames, k, k + 3))
            readers.append(Trajectory(tmp_path / "t"))
        for k, reader in zip(range(0, 100, 3), readers, strict=True):
            assert len(reader) == min(k + 3, 100)
            (got,) = reader.chunks(size=1000)
            np.testing.assert_allclose(got.positions, frames.positions[: k + 3], rtol=0, atol=ROUNDING)


def test_nothing_on_disk_is_pickled(tmp_path, rng, thermo):
    atoms = sulphide(rng)
    with TrajectoryWriter.create(tmp_path / "t", atoms, ABOUT, chunk=5) as writer:
        writer.append(path_of(atoms, 12, rng), thermo=thermo(12, 10))
    for file in (tmp_path / "t").rglob("zarr.json"):
        text = json.loads(file.read_text())
        assert not any("pickle" in codec["name"] for codec in text.get("codecs", []))
        assert text.get("data_type") in (None, "int32", "int64", "float32", "float64")
