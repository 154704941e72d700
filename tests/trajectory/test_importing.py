"""Files of other programs become a store, once, whole or not at all; what does not go on is refused."""

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from mlff.trajectory import Frames, Series, Trajectory, TrajectoryWriter, convert, import_trajectory, open_trajectory
from mlff.trajectory.sources.told import told_source
from tests.trajectory.paths import TRICLINIC, path_of, some, sulphide

ROOT = Path(__file__).parents[2]
FILES = Path(__file__).parent / "files"
TIMESTEP = 2.0  # fs


def stored(path: Path, atoms: Atoms, frames: Frames, **series: Series) -> Trajectory:
    with TrajectoryWriter.create(path, atoms, {"timestep": TIMESTEP}) as writer:
        writer.append(frames, **series)
    return Trajectory(path)


def whole(trajectory: Trajectory) -> Frames:
    (frames,) = trajectory.chunks(size=10_000)
    return frames


@pytest.fixture(params=["constant", "fluctuating", "straight"])
def trajectory(request, tmp_path, rng) -> Trajectory:
    """150 frames, every 10 steps, of ions that walk through several cells; velocities at each second frame."""
    atoms = sulphide(rng, np.diag([8.0, 9.0, 10.0]) if request.param == "straight" else TRICLINIC)
    frames = path_of(atoms, 150, rng, fluctuating=request.param == "fluctuating")
    velocities = Series(frames.steps[::2], {"velocities": rng.normal(scale=0.01, size=(75, 12, 3))})
    return stored(tmp_path / "t", atoms, frames, velocities=velocities)


@pytest.fixture
def walk(tmp_path, rng) -> Trajectory:
    """The same in the cell that fluctuates."""
    atoms = sulphide(rng)
    return stored(tmp_path / "t", atoms, path_of(atoms, 150, rng, fluctuating=True))


# what a format keeps of a position, in units of the cell: the store rounds to 1.5e-5 Å once more
@pytest.mark.parametrize(
    ("name", "atol"), [("x.extxyz", 3e-6), ("x.xyz.gz", 3e-6), ("XDATCAR", 3e-6), ("x.dump", 3e-6), ("x.dump.gz", 3e-6), ("x.xtc", 2e-3)]
)
@pytest.mark.parametrize("wrap", [False, True])
def test_there_and_back(trajectory, tmp_path, name, atol, wrap):
    import gzip

    expected, numbers, given = whole(trajectory), trajectory.numbers, {}
    fractions = expected.positions @ np.linalg.inv(expected.cells)
    assert np.ptp(fractions, axis=0).max() > 3
    plain = tmp_path / name.removesuffix(".gz")
    if name == "XDATCAR":  # sorted by species, without times and steps
        order = np.argsort([{3: 0, 15: 1, 16: 2}[z] for z in numbers], kind="stable")
        fractions, numbers, given = fractions[:, order], numbers[order], {"timestep": 10 * TIMESTEP}
    elif ".dump" in name:
        given = {"timestep": TIMESTEP}
    elif name == "x.xtc":
        pytest.importorskip("mdtraj", reason="mdtraj is not installed (pip install .[trajectory])")
        given = {"structure": trajectory[0]}
    convert(trajectory, plain, wrap=wrap)
    if name.endswith(".gz"):
        (tmp_path / name).write_bytes(gzip.compress(plain.read_bytes(), 1))
    back = import_trajectory(tmp_path / name, tmp_path / "back", **given)
    found = whole(back)
    np.testing.assert_array_equal(back.numbers, numbers)
    if name == "XDATCAR":
        np.testing.assert_array_equal(np.diff(back.times), np.diff(trajectory.times))
    else:
        np.testing.assert_allclose(back.times, trajectory.times, rtol=1e-6)
        np.testing.assert_array_equal(back.steps, trajectory.steps)
    # a rotation of the cell is no difference; 3 decimals of a nm in XTC
    gram = [cells @ np.swapaxes(cells, 1, 2) for cells in (found.cells, expected.cells)]
    np.testing.assert_allclose(*gram, rtol=0, atol=1e-4)
    away = found.positions @ np.linalg.inv(found.cells) - fractions
    # where the file has no image flags, the first frame is where it was wrapped to; whatever follows is not
    start = np.rint(away[0]) if wrap and ".dump" not in name else np.zeros_like(away[0])
    np.testing.assert_allclose(away, np.broadcast_to(start, away.shape), rtol=0, atol=atol)
    assert back.about["unwrapped"] is (".dump" not in name)
    if "xyz" in name:  # the others have none
        velocities = back.velocities()
        np.testing.assert_array_equal(velocities.steps, trajectory.velocities().steps)
        np.testing.assert_allclose(velocities.values["velocities"], trajectory.velocities().values["velocities"], rtol=0, atol=2e-8)


def test_far_from_the_origin_nothing_is_lost(tmp_path, rng):
    """500 Å away, where float32 errs by 3e-5 Å."""
    atoms = sulphide(rng)
    frames = path_of(atoms, 30, rng)
    source = stored(tmp_path / "t", atoms, Frames(frames.steps, frames.positions + 500, frames.cells))
    convert(source, tmp_path / "x.extxyz")
    found = whole(import_trajectory(tmp_path / "x.extxyz", tmp_path / "back"))
    np.testing.assert_allclose(found.positions, frames.positions + 500, rtol=0, atol=1.6e-5)


def test_a_stride_keeps_what_was_unwrapped_with_all_frames(walk, tmp_path):
    """Every 20th frame alone would be unwrapped wrongly: ions go through several cells."""
    convert(walk, tmp_path / "x.extxyz", wrap=True)
    every = whole(import_trajectory(tmp_path / "x.extxyz", tmp_path / "every"))
    strided = import_trajectory(tmp_path / "x.extxyz", tmp_path / "strided", stride=20)
    found = whole(strided)
    np.testing.assert_array_equal(found.steps, every.steps[::20])
    np.testing.assert_allclose(found.positions, every.positions[::20], rtol=0, atol=1.6e-5)
    assert strided.about["timestep"] == TIMESTEP


def parts(tmp_path, rng, *ranges: tuple[int, int], fluctuating: bool = True, first_steps=None) -> tuple[list[Path], Frames]:
    """Wrapped dumps with the frames of some ranges of one run, and the run."""
    atoms = sulphide(rng)
    run = path_of(atoms, 100, rng)
    s = np.linalg.solve(TRICLINIC.T, atoms.positions.T).T + np.cumsum(rng.normal(scale=0.02, size=(100, 12, 3)), axis=0)
    cells = path_of(atoms, 100, rng, fluctuating).cells
    run = Frames(run.steps, s @ cells, cells)
    paths = []
    for k, (begin, end) in enumerate(ranges):
        part = some(run, begin, end)
        if first_steps is not None:
            part = Frames(part.steps - part.steps[0] + first_steps[k], part.positions, part.cells)
        convert(stored(tmp_path / f"part{k}", atoms, part), tmp_path / f"{k}.extxyz", wrap=True)
        paths.append(tmp_path / f"{k}.extxyz")
    return paths, run


def assert_run(found: Trajectory, run: Frames) -> None:
    frames = whole(found)
    np.testing.assert_array_equal(frames.steps, run.steps)
    away = (frames.positions - run.positions) @ np.linalg.inv(run.cells)
    np.testing.assert_allclose(away, np.broadcast_to(np.rint(away[0]), away.shape), rtol=0, atol=3e-6)


@pytest.mark.parametrize(
    ("ranges", "first_steps"),
    [
        pytest.param([(0, 40), (40, 70), (70, 100)], None, id="goes on"),
        pytest.param([(0, 41), (40, 71), (70, 100)], None, id="last frames again"),
        pytest.param([(0, 41), (40, 71), (70, 100)], [0, 0, 0], id="last frames again, counted anew"),
        pytest.param([(0, 40), (40, 70), (70, 100)], [0, 0, 0], id="counted anew"),
    ],
)
@pytest.mark.parametrize("in_one_file", [False, True])
def test_files_that_continue_each_other(tmp_path, rng, ranges, first_steps, in_one_file):
    paths, run = parts(tmp_path, rng, *ranges, first_steps=first_steps)
    if in_one_file:
        paths[0].write_text("".join(path.read_text() for path in paths))
        paths = paths[:1]
    found = import_trajectory(paths, tmp_path / "t", timestep=TIMESTEP)
    assert_run(found, run)
    assert found.about["source"] == [str(path.resolve()) for path in paths]


def test_a_file_that_is_missing_is_a_jump(tmp_path, rng):
    paths, _ = parts(tmp_path, rng, (0, 30), (80, 100))
    with pytest.raises(
        ValueError,
        match=r"1.extxyz, frame 0: found a jump of .* Å by atom \d+ \((Li|P|S)\), .* 510 steps after the frame before; .*every 10 steps",
    ):
        import_trajectory(paths, tmp_path / "t")
    assert not (tmp_path / "t").exists()


def test_another_run_is_a_jump(tmp_path, rng):
    paths, _ = parts(tmp_path, rng, (0, 30))
    (tmp_path / "other").mkdir()
    others, _ = parts(tmp_path / "other", np.random.default_rng(5), (30, 60))
    with pytest.raises(ValueError, match=r"found a jump of .*; give the files in order, add the one that is missing between them"):
        import_trajectory([*paths, *others], tmp_path / "t")


def test_a_restart_from_an_earlier_step(tmp_path, rng):
    paths, _ = parts(tmp_path, rng, (0, 40), (30, 60))
    with pytest.raises(ValueError, match=r"1.extxyz, frame 0: found step 300 after step 390, expected later steps"):
        import_trajectory(paths, tmp_path / "t")


def test_image_flags_that_begin_anew(tmp_path, rng):
    """The second part of a dump, written with the images counted from zero as after a restart from wrapped coordinates."""
    atoms = sulphide(rng)
    s = rng.random((12, 3)) + 0.03 * np.arange(100)[:, None, None] * rng.normal(size=(12, 3))
    run = Frames(10 * np.arange(100), s @ TRICLINIC, np.stack([TRICLINIC] * 100))
    inside = run.positions[50:] - np.floor(s[50]) @ TRICLINIC
    convert(stored(tmp_path / "a", atoms, some(run, 0, 50)), tmp_path / "a.dump")
    convert(stored(tmp_path / "b", atoms, Frames(run.steps[50:], inside, run.cells[50:])), tmp_path / "b.dump")
    found = whole(import_trajectory([tmp_path / "a.dump", tmp_path / "b.dump"], tmp_path / "t", timestep=1.0))
    np.testing.assert_allclose(found.positions @ np.linalg.inv(found.cells), s, rtol=0, atol=5e-6)


def xyz(*frames: str) -> str:
    return "".join(f'{len(frame.split(";"))}\nLattice="9 0 0 0 9 0 0 0 9"\n' + frame.replace(";", "\n") + "\n" for frame in frames)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (xyz("Li 0 0 0;Cl 3 3 3", "Li 0 0 0"), "frame 1: found 1 atoms, expected 2 as in the first frame"),
        (xyz("Li 0 0 0;Cl 3 3 3", "Cl 3 3 3;Li 0 0 0"), "frame 1: found Cl as atom 0, expected Li .*: the order of the species changed"),
        (xyz("Li 0 0 0", "Li 0 0 0").replace('9"\nLi', '9" pbc="T T F"\nLi', 1), r"frame 1: found pbc .*, expected \[True, True, False\]"),
        (xyz("Li 0 0 0", "Li 1e999 0 0"), "frame 1: found a position or a cell that is not finite"),
        (xyz("Li 0 0 0", "Li 1 1 1")[:-4], r"ends inside frame 1 \(after 0 of 1 atoms with their line ends\).*; 1 whole frames precede"),
        ("", "found no frame, expected at least one; leave the file out"),
        ("0\n\n", "frame 0: found no atom, expected at least one"),
    ],
)
def test_what_is_no_trajectory_leaves_nothing(tmp_path, text, message):
    (tmp_path / "x.xyz").write_text(text)
    with pytest.raises(ValueError, match=message):
        import_trajectory(tmp_path / "x.xyz", tmp_path / "t", timestep=1.0)
    assert [path.name for path in tmp_path.iterdir()] == ["x.xyz"]


def test_the_whole_frames_of_a_file_that_is_cut(tmp_path):
    (tmp_path / "x.xyz").write_text(xyz("Li 0 0 0", "Li 1 0 0", "Li 2 0 0")[:-3])
    found = import_trajectory(tmp_path / "x.xyz", tmp_path / "t", timestep=1.0, allow_truncated=True)
    assert found.n_frames == 2
    (tmp_path / "x.xyz").write_text(xyz("Li 0 0 0")[:-3])
    with pytest.raises(ValueError, match="found no frame, expected at least one"):
        import_trajectory(tmp_path / "x.xyz", tmp_path / "u", timestep=1.0, allow_truncated=True)


def test_one_frame(tmp_path):
    (tmp_path / "x.xyz").write_text(xyz("Li 0 0 0"))
    assert import_trajectory(tmp_path / "x.xyz", tmp_path / "t", timestep=1.0).n_frames == 1
    with pytest.raises(ValueError, match="found no time in this file, expected a timestep"):
        import_trajectory(tmp_path / "x.xyz", tmp_path / "u")


def test_an_image_that_is_a_guess_is_told(tmp_path, caplog):
    (tmp_path / "x.xyz").write_text(xyz("Li 0 0 0;Cl 3 3 3", "Li 0 0 0;Cl 3 7 3", "Li 0 0 0;Cl 3 8 3"))
    with caplog.at_level(logging.WARNING):
        found = import_trajectory(tmp_path / "x.xyz", tmp_path / "t", timestep=1.0)
    assert found.about["ambiguous_frames"] == 1
    assert "in 1 of 3 frames an atom moved by more than 0.4 of a cell since the frame before, first atom 1 in" in caplog.text
    assert "store frames nearer in time, or positions with image flags" in caplog.text


def test_arguments_that_are_refused(tmp_path):
    (tmp_path / "x.xyz").write_text(xyz("Li 0 0 0"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    cases = (
        ([], "t", {}, "found no path, expected the file of a trajectory"),
        (["none.xyz"], "t", {}, "none.xyz: found nothing, expected the file of a trajectory"),
        (["full"], "t", {}, "full: found a folder, expected the file"),
        (["x.xyz"], "full", {}, "full: found something there already, expected a new folder"),
        (["x.xyz"], "t", {"stride": 0}, "found stride 0 and timestep None, expected at least 1"),
        (["x.xyz"], "t", {"timestep": -1.0}, r"found stride 1 and timestep -1.0"),
        (["x.xyz"], "t", {"format": "pdb"}, r"found format 'pdb', expected one of \['xdatcar', "),
    )
    for paths, store, given, message in cases:
        with pytest.raises(ValueError, match=message):
            import_trajectory([tmp_path / path for path in paths], tmp_path / store, **given)


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("XDATCAR", "xdatcar"),
        ("XDATCAR_300K.gz", "xdatcar"),
        ("vasprun.xml", "vasprun"),
        ("Li-pos-1.xyz", "cp2k"),
        ("x.extxyz", "extxyz"),
        ("x.xyz.gz", "extxyz"),
        ("dump.melt", "lammps_dump"),
        ("x.lammpstrj", "lammps_dump"),
        ("x.XTC", "xtc"),
        ("x.dcd", "dcd"),
        ("x.traj", "ase_formats"),
    ],
)
def test_formats_are_told_by_name(tmp_path, name, format):
    (tmp_path / name).write_text("nothing")
    assert told_source(tmp_path / name) == format


def test_formats_are_told_by_what_is_in_them(tmp_path):
    for name, format in (("triclinic.dump", "lammps_dump"), ("vasprun.xml", "vasprun")):
        (tmp_path / "output").write_text((FILES / name).read_text())
        assert told_source(tmp_path / "output") == format


def test_progress_counts_frames_and_an_interrupt_leaves_nothing(walk, tmp_path):
    convert(walk, tmp_path / "x.extxyz")
    seen = []
    import_trajectory(tmp_path / "x.extxyz", tmp_path / "a", progress=seen.append)
    assert (sum(seen), len(seen)) == (150, 2)

    def interrupt(n: int) -> None:
        assert not (tmp_path / "b").exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_trajectory(tmp_path / "x.extxyz", tmp_path / "b", progress=interrupt)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "t", "x.extxyz"]


KILLED = """
import os, signal, sys
from mlff.trajectory import open_trajectory
open_trajectory(sys.argv[1], progress=lambda n: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_a_kill_leaves_nothing_that_is_taken_for_a_trajectory(walk, tmp_path, monkeypatch):
    convert(walk, tmp_path / "x.extxyz")
    monkeypatch.setenv("MLFF_CACHE", str(tmp_path / "cache"))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "x.extxyz"], env=environment, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    (left,) = (path for path in (tmp_path / "cache/trajectories").iterdir() if path.is_dir())
    assert left.name.endswith(".partial")
    assert len(open_trajectory(tmp_path / "x.extxyz")) == 150
    (kept,) = (path for path in (tmp_path / "cache/trajectories").iterdir() if path.is_dir())
    assert not kept.name.endswith(".partial")


def test_a_file_is_converted_once(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFF_CACHE", str(tmp_path / "cache"))
    text, read = xyz("Li 0 0 0", "Li 1 0 0"), []
    path = tmp_path / "x.xyz"
    path.write_text(text)

    def opened(paths, **given) -> Trajectory:
        return open_trajectory(paths, timestep=given.pop("timestep", 1.0), progress=read.append, **given)

    first = opened(path)
    assert (read, len(first)) == ([2], 2)
    assert opened([path]).path == first.path
    assert read == [2]
    opened(path, timestep=2.0)  # another argument
    assert read == [2, 2]
    opened(path, structure=None, stride=2)
    assert read == [2, 2, 2]
    path.write_text(text + xyz("Li 2 0 0"))  # the run went on
    assert len(opened(path)) == 3
    assert read == [2, 2, 2, 3]


def test_companions_and_the_structure_are_part_of_what_is_read(tmp_path, monkeypatch):
    import shutil

    monkeypatch.setenv("MLFF_CACHE", str(tmp_path / "cache"))
    for name in ("run-pos-1.xyz", "run-1.cell"):
        shutil.copy(FILES / name, tmp_path)
    first = open_trajectory(tmp_path / "run-pos-1.xyz")
    assert first.series_names == ()
    shutil.copy(FILES / "run-vel-1.xyz", tmp_path)
    assert open_trajectory(tmp_path / "run-pos-1.xyz").series_names == ("velocities",)
    (tmp_path / "x.xyz").write_text("1\n\nLi 0 0 0\n")
    lengths = []
    for length in (5, 6):
        (tmp_path / "POSCAR").write_text(f"Li\n1\n{length} 0 0\n0 5 0\n0 0 5\nLi\n1\nDirect\n0 0 0\n")
        for structure in (tmp_path / "POSCAR", Atoms("Li", cell=[length + 2, 5, 5], pbc=True)):
            found = open_trajectory(tmp_path / "x.xyz", timestep=1.0, structure=structure)
            lengths.append(whole(found).cells[0, 0, 0])
    assert lengths == [5, 7, 6, 8]


def test_an_own_store_is_opened_as_it_is(walk, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFF_CACHE", str(tmp_path / "cache"))
    found = open_trajectory(walk.path)
    assert (found.path, len(found)) == (walk.path, 150)
    assert not (tmp_path / "cache").exists()
    with pytest.raises(ValueError, match="found a folder and timestep, expected the folder of one trajectory alone; leave the others out"):
        open_trajectory(walk.path, timestep=1.0)
    with pytest.raises(ValueError, match="found a folder and 2 paths"):
        open_trajectory([walk.path, walk.path])
    with pytest.raises(ValueError, match=r"found an existing file or folder without a zarr\.json"):
        open_trajectory(tmp_path)
