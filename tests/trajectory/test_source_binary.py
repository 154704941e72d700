"""XTC and DCD, with the species of a structure."""

import sys

import numpy as np
import pytest
from ase.io import write

from mlff.trajectory import Frames, import_trajectory
from mlff.trajectory.formats.wrapping import wrapped
from tests.trajectory.paths import path_of, sulphide

pytest.importorskip("mdtraj", reason="mdtraj is not installed (pip install .[trajectory])")

# a along x and b in the xy plane, as both formats have it
CELL = np.array([[9.0, 0, 0], [2.0, 8.0, 0], [-1.5, 1.0, 10.0]])


def written(path, rng, n: int = 120, scale: float = 1.0, steps: bool = True):
    """The structure, and the frames in the file as positions (wrapped) times scale."""
    from mdtraj.formats import DCDTrajectoryFile, XTCTrajectoryFile

    atoms = sulphide(rng, CELL)
    frames = path_of(atoms, n, rng)
    cells = np.tile(CELL, (n, 1, 1))
    cells[:, [0, 1, 2], [0, 1, 2]] *= 1 + 0.02 * np.sin(np.arange(n))[:, None]
    positions = frames.positions @ np.linalg.inv(CELL) @ cells
    inside = wrapped(positions, cells, np.ones(3, bool))[0] * scale
    if path.suffix == ".xtc":
        with XTCTrajectoryFile(str(path), "w") as file:
            count = np.arange(n) if steps else np.zeros(n)
            file.write(
                np.float32(inside / 10),
                time=np.float32(count * 0.01),
                step=(5 * count).astype(np.int32),
                box=np.float32(cells * scale / 10),
            )
    else:
        from ase.geometry import cell_to_cellpar

        shapes = np.array([cell_to_cellpar(cell * scale) for cell in cells])
        with DCDTrajectoryFile(str(path), "w") as file:
            file.write(np.float32(inside), cell_lengths=np.float32(shapes[:, :3]), cell_angles=np.float32(shapes[:, 3:]))
    return atoms, Frames(frames.steps, positions, cells)


def assert_path(found: Frames, expected: Frames, atol: float) -> None:
    """The same up to the whole cells that the first frame was wrapped by."""
    np.testing.assert_allclose(found.cells, expected.cells, rtol=0, atol=2e-5)
    away = (found.positions - expected.positions) @ np.linalg.inv(expected.cells)
    np.testing.assert_allclose(away, np.broadcast_to(np.rint(away[0]), away.shape), rtol=0, atol=atol)


def test_xtc(tmp_path, rng):
    atoms, expected = written(tmp_path / "x.xtc", rng)
    write(tmp_path / "POSCAR", atoms, direct=True)  # in the order of the atoms
    found = import_trajectory(tmp_path / "x.xtc", tmp_path / "t", structure=tmp_path / "POSCAR")
    assert found.numbers.tolist() == atoms.numbers.tolist()
    assert (found.about["timestep"], found.steps[:3].tolist(), found.n_frames) == (2.0, [0, 5, 10], 120)
    (frames,) = found.chunks(size=1000)
    assert_path(frames, expected, atol=2e-3)  # 0.01 Å of some 9 Å


def test_dcd(tmp_path, rng):
    atoms, expected = written(tmp_path / "x.dcd", rng)
    with pytest.raises(ValueError, match="found no time in this file, expected a timestep"):
        import_trajectory(tmp_path / "x.dcd", tmp_path / "t", structure=atoms)
    found = import_trajectory(tmp_path / "x.dcd", tmp_path / "t", structure=atoms, timestep=10.0)
    assert found.times[:3].tolist() == [0, 10, 20]
    (frames,) = found.chunks(size=1000)
    assert_path(frames, expected, atol=1e-5)


def test_a_writer_that_counts_no_steps(tmp_path, rng):
    atoms, _ = written(tmp_path / "x.xtc", rng, 5, steps=False)
    with pytest.raises(ValueError, match="found no time in this file, expected a timestep"):
        import_trajectory(tmp_path / "x.xtc", tmp_path / "t", structure=atoms)
    assert import_trajectory(tmp_path / "x.xtc", tmp_path / "t", structure=atoms, timestep=7.0).times.tolist() == [0, 7, 14, 21, 28]


@pytest.mark.parametrize("name", ["x.xtc", "x.dcd"])
def test_refusals(tmp_path, rng, name):
    atoms, _ = written(tmp_path / name, rng, 3)
    with pytest.raises(ValueError, match=r"found no species in this format, expected those of a structure; give structure=…"):
        import_trajectory(tmp_path / name, tmp_path / "t", timestep=2.0)
    with pytest.raises(ValueError, match="found 12 atoms, but the structure has 11; give that of the same atoms"):
        import_trajectory(tmp_path / name, tmp_path / "t", timestep=2.0, structure=atoms[:11])
    atoms, _ = written(tmp_path / f"scaled{name}", rng, 3, scale=10.0)  # Å in a format of nm, or the like
    with pytest.raises(
        ValueError, match=r"found a cell 10 times as long as that of the structure, expected about the same; .* another unit"
    ):
        import_trajectory(tmp_path / f"scaled{name}", tmp_path / "t", timestep=2.0, structure=atoms)
    with pytest.raises(ValueError, match=r"none: found no structure \(.*\), expected a file that ASE reads"):
        import_trajectory(tmp_path / name, tmp_path / "t", timestep=2.0, structure="none")


@pytest.mark.parametrize(("name", "whole"), [("x.xtc", 119), ("x.dcd", 119)])
def test_a_file_that_is_cut(tmp_path, rng, name, whole, capfd):
    atoms, expected = written(tmp_path / name, rng)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-30])
    with pytest.raises(ValueError, match=f"ends inside frame {whole} .*; {whole} whole frames precede"):
        import_trajectory(tmp_path / name, tmp_path / "t", timestep=2.0, structure=atoms)
    found = import_trajectory(tmp_path / name, tmp_path / "t", timestep=2.0, structure=atoms, allow_truncated=True)
    assert_path(
        next(found.chunks(size=1000)), Frames(*(a[:whole] for a in (expected.steps, expected.positions, expected.cells))), atol=2e-3
    )


@pytest.mark.parametrize("name", ["x.xtc", "x.dcd"])
def test_without_its_library_the_extra_is_named(tmp_path, rng, name, monkeypatch):
    atoms, _ = written(tmp_path / name, rng, 3)
    monkeypatch.setitem(sys.modules, "mdtraj.formats", None)
    with pytest.raises(ImportError, match=r"mdtraj, which reads \w+, is not installed; pip install 'mlff\[trajectory\]'"):
        import_trajectory(tmp_path / name, tmp_path / "t", timestep=2.0, structure=atoms)
