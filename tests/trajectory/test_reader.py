"""Reading in parts is reading the whole; frames are ASE's atoms; what is no trajectory is refused with a remedy."""

import json

import numpy as np
import pytest
import zarr
from ase import units

from mlff.trajectory import Frames, Series, Trajectory, TrajectoryWriter
from tests.trajectory.paths import content, path_of, sulphide


@pytest.fixture
def written(tmp_path, rng, thermo):
    """57 frames every 10 steps; velocities at each third frame, thermo every 5 steps."""
    atoms = sulphide(rng)
    frames = path_of(atoms, 57, rng, fluctuating=True)
    velocities = Series(frames.steps[::3], {"velocities": rng.normal(scale=0.01, size=(19, 12, 3))})
    with TrajectoryWriter.create(tmp_path / "t", atoms, {"timestep": 0.5}, chunk=10) as writer:
        writer.append(frames, velocities=velocities, thermo=thermo(100, 5))
    return tmp_path / "t"


@pytest.mark.parametrize("size", [None, 1, 4, 10, 23, 1000])
@pytest.mark.parametrize(
    "where", [(0, None, 1), (7, 41, 1), (0, None, 3), (5, 52, 7), (-20, -3, 2), (49, None, 1), (3, None, 25), (30, 30, 1)]
)
def test_parts_equal_the_whole(written, where, size):
    whole, wanted = content(written), slice(*where)
    parts = list(Trajectory(written).chunks(*where, size=size))
    assert all(len(part) <= (size or 10) for part in parts)
    for name in ("steps", "positions", "cells"):
        expected = whole[name][wanted]
        found = np.concatenate([np.zeros((0, *expected.shape[1:])), *(getattr(part, name) for part in parts)])
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("where", [(0, None, 1), (3, 17, 2), (-5, None, 1)])
def test_parts_of_a_series_equal_the_whole(written, where):
    trajectory, whole = Trajectory(written), content(written)
    np.testing.assert_array_equal(trajectory.velocities(*where).values["velocities"], whole["velocities/velocities"][slice(*where)])
    parts = list(trajectory.series_chunks("thermo", *where, size=4))
    np.testing.assert_array_equal(np.concatenate([part.steps for part in parts]), whole["thermo/steps"][slice(*where)])
    found = np.concatenate([part.values["temperature"] for part in parts])
    np.testing.assert_array_equal(found, whole["thermo/temperature"][slice(*where)])


def test_what_was_read_is_the_readers_own(written):
    """Changing it changes nothing that is read later."""
    trajectory, whole = Trajectory(written), content(written)
    for _ in range(2):
        for part in trajectory.chunks(size=5):
            part.steps[:], part.positions[:], part.cells[:] = -1, -1, -1
        trajectory.series("thermo").values["temperature"][:] = -1
    (again,) = trajectory.chunks(size=100)
    np.testing.assert_array_equal(again.steps, whole["steps"])
    np.testing.assert_array_equal(again.positions, whole["positions"])
    np.testing.assert_array_equal(trajectory.series("thermo").values["temperature"], whole["thermo/temperature"])


def test_a_frame_is_atoms(written):
    trajectory, whole = Trajectory(written), content(written)
    for i in (0, 6, 49, 56, -1):
        atoms = trajectory[i]
        np.testing.assert_array_equal(atoms.positions, whole["positions"][i])
        np.testing.assert_array_equal(atoms.cell.array, whole["cells"][i])
        np.testing.assert_array_equal(atoms.numbers, trajectory.numbers)
        assert (atoms.info["step"], atoms.info["time"]) == (whole["steps"][i], 0.5 * whole["steps"][i])
    six, seven, last = trajectory[6], trajectory[7], trajectory[56]
    v = whole["velocities/velocities"][2]
    # 1e-7: float32, and ASE's older physical constants
    np.testing.assert_allclose(six.get_velocities() * units.fs, v, rtol=1e-7)
    assert not seven.has("momenta")  # nothing was stored at its step
    assert six.info["temperature"] == whole["thermo/temperature"][12]
    assert "temperature" not in last.info
    assert [atoms.info["step"] for atoms in trajectory][:3] == [0, 10, 20]
    assert [atoms.info["step"] for atoms in trajectory[1:40:13]] == [10, 140, 270]
    with pytest.raises(IndexError, match="frame 57 was asked for, but the trajectory holds 57"):
        trajectory[57]


def test_masses_of_ones_own_stay(tmp_path, rng):
    atoms = sulphide(rng)
    atoms.set_masses(np.linspace(5, 40, len(atoms)))
    with TrajectoryWriter.create(tmp_path / "t", atoms, {"timestep": 1}) as writer:
        writer.append(path_of(atoms, 2, rng))
    np.testing.assert_array_equal(Trajectory(tmp_path / "t")[1].get_masses(), atoms.get_masses())


def test_an_empty_trajectory(tmp_path, rng):
    TrajectoryWriter.create(tmp_path / "t", sulphide(rng), {"timestep": 1}).close()
    trajectory = Trajectory(tmp_path / "t")
    assert (len(trajectory), list(trajectory), list(trajectory.chunks()), trajectory.steps.tolist()) == (0, [], [], [])


def test_mistaken_questions_are_refused(written):
    trajectory = Trajectory(written)
    with pytest.raises(ValueError, match=r"found no series 'forces', expected one of \['velocities', 'thermo'\]"):
        trajectory.series("forces")
    for mistake in ({"stride": 0}, {"stride": -1}, {"size": 0}):
        with pytest.raises(ValueError, match="expected at least 1"):
            list(trajectory.chunks(**mistake))


def test_what_is_no_trajectory_is_refused_with_a_remedy(written, tmp_path):
    with pytest.raises(ValueError, match=r"none: found nothing, expected the folder of a trajectory; give the folder that the run wrote"):
        Trajectory(tmp_path / "none")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    for name in ("folder", "file"):
        with pytest.raises(ValueError, match=r"found an existing file or folder without a zarr\.json, expected the folder of a trajectory"):
            Trajectory(tmp_path / name)
    zarr.open_group(tmp_path / "foreign", mode="w")
    with pytest.raises(ValueError, match="found a zarr group of 'no format', expected 'mlff trajectory'"):
        Trajectory(tmp_path / "foreign")
    (tmp_path / "foreign/zarr.json").write_text("{")
    with pytest.raises(ValueError, match=r"its zarr.json is no zarr group .*, expected a trajectory"):
        Trajectory(tmp_path / "foreign")
    described = json.loads((written / "zarr.json").read_text())
    described["attributes"]["version"] = 99
    (written / "zarr.json").write_text(json.dumps(described))
    for opened in (Trajectory, lambda path: TrajectoryWriter.open(path, 0)):
        with pytest.raises(ValueError, match="found version 99 of the format, expected at most 1; read it with the version of mlff"):
            opened(written)


def test_a_damaged_journal_is_refused(written):
    data = bytearray((written / "journal").read_bytes())
    data[40] ^= 1
    (written / "journal").write_bytes(data)
    with pytest.raises(ValueError, match="found no whole record, expected the journal of a trajectory; copy the whole folder"):
        Trajectory(written)


def test_a_file_that_was_lost_or_damaged_is_told(tmp_path, rng):
    """Also of atoms that never moved, whose displacements are zeros: a file that is missing never means zeros."""
    atoms = sulphide(rng)
    still = Frames(np.arange(20), np.repeat(atoms.positions[None], 20, 0), np.repeat(atoms.cell.array[None], 20, 0))
    with TrajectoryWriter.create(tmp_path / "t", atoms, {"timestep": 1}, chunk=10) as writer:
        writer.append(still)
    np.testing.assert_array_equal(content(tmp_path / "t")["positions"], still.positions)
    part = tmp_path / "t/frames/displacements/c/0/0/0"
    packed = part.read_bytes()
    for left in (b"", packed[:10], packed[:20], packed[:-1], packed + b"1", packed[:16] + bytes(b ^ 85 for b in packed[16:])):
        part.write_bytes(left)
        with pytest.raises(ValueError, match=r"displacements/c/0/0/0: found a damaged file .*copy the whole folder of the run again"):
            content(tmp_path / "t")
    part.unlink()
    with pytest.raises(ValueError, match=r"displacements/c/0/0/0: found no file, expected a part of the trajectory; copy"):
        content(tmp_path / "t")


def test_zarr_alone_reads_the_chunks(written):
    """The reader unpacks files by itself; another program reads the same numbers from them."""
    group = zarr.open_group(written, mode="r")
    positions = group["atoms/positions"][:] + group.attrs["precision"] * group["frames/displacements"][:]
    np.testing.assert_array_equal(positions, content(written)["positions"][: len(positions)])
    assert len(positions) == 50
