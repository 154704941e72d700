"""What only ASE reads: its own trajectories, and whatever a file turns out to be."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.io import write

from mlff.trajectory import import_trajectory


def images(rng) -> list[Atoms]:
    found = []
    for k in range(5):
        atoms = Atoms("LiCl", [[0.2 - 0.1 * k, 1, 1], [3, 3, 3]], cell=[6, 6, 6], pbc=True)
        atoms.set_velocities(rng.normal(scale=0.05, size=(2, 3)))
        found.append(atoms)
    return found


def test_a_trajectory_of_ase(tmp_path, rng):
    frames = images(rng)
    write(tmp_path / "x.traj", frames)
    found = import_trajectory(tmp_path / "x.traj", tmp_path / "t", timestep=2.0)
    assert (found.about["format"], found.times.tolist()) == ("ase_formats", [0, 2, 4, 6, 8])
    np.testing.assert_allclose(next(found.chunks()).positions, [atoms.positions for atoms in frames], rtol=0, atol=8e-6)
    expected = [atoms.get_velocities() * units.fs for atoms in frames]
    np.testing.assert_allclose(found.velocities().values["velocities"], expected, rtol=0, atol=1e-8)


def test_a_format_that_is_named(tmp_path, rng):
    write(tmp_path / "XDATCAR", images(rng), format="vasp-xdatcar")
    found = import_trajectory(tmp_path / "XDATCAR", tmp_path / "t", format="ase_formats", timestep=1.0)
    assert found.n_frames == 5


def test_what_nobody_reads(tmp_path):
    (tmp_path / "x.bin").write_bytes(b"\0\1\2 nothing of the kind")
    with pytest.raises(ValueError, match=r"x.bin: found a format that nothing here reads, expected a trajectory; name its format"):
        import_trajectory(tmp_path / "x.bin", tmp_path / "t", timestep=1.0)


def test_a_damaged_trajectory_of_ase(tmp_path, rng):
    write(tmp_path / "x.traj", images(rng))
    (tmp_path / "x.traj").write_bytes((tmp_path / "x.traj").read_bytes()[:60])
    with pytest.raises(ValueError, match=r"x.traj: ends inside frame 0 \(ASE stops with "):
        import_trajectory(tmp_path / "x.traj", tmp_path / "t", timestep=1.0)
