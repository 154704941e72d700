"""A folder is read whole, each calculation once, and what is not read is named."""

import logging
import shutil

import ase.io
import pytest

from mlff.data import read_frames, write_store
from mlff.data.folder import find_sources
from tests.data.test_read import write_deepmd


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.INFO, logger="mlff.data")
    return caplog


def test_folders_below_are_read_in_sorted_order(lj_run, tmp_path, said):
    (tmp_path / "sub" / "deeper").mkdir(parents=True)
    for name, members in (
        ("a.extxyz", lj_run[:5]),
        ("c.traj", lj_run[5:9]),
        ("sub/b.extxyz", lj_run[9:11]),
        ("sub/deeper/d.xyz", lj_run[11:12]),
    ):
        ase.io.write(tmp_path / name, [frame.to_atoms() for frame in members], format="traj" if name.endswith("traj") else "extxyz")
    for name in ("notes.txt", "sub/POSCAR", ".hidden.extxyz", ".git/config", "sub/deeper/POSCAR"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("hello")
    frames = read_frames(tmp_path)
    assert [frame.energy for frame in frames] == pytest.approx([frame.energy for frame in lj_run[:12]])
    assert frames[-1].source == str(tmp_path / "sub/deeper/d.xyz")
    assert f"{tmp_path}: not read: notes.txt, POSCAR (2 files)" in [record.message for record in said.records]


def test_a_long_list_of_what_is_not_read_is_cut(extxyz_folder, said):
    for k in range(9):
        (extxyz_folder / f"note{k}").write_text("hello")
    read_frames(extxyz_folder)
    assert "not read: note0, note1, note2, note3, note4, note5 and 3 more" in said.text


@pytest.fixture
def extxyz_folder(lj_run, tmp_path):
    ase.io.write(tmp_path / "a.extxyz", [frame.to_atoms() for frame in lj_run[:2]])
    return tmp_path


def test_a_folder_where_all_is_read_says_nothing(extxyz_folder, said):
    read_frames(extxyz_folder)
    assert "not read" not in said.text


def test_a_vasp_run_is_read_once(files, tmp_path, said):
    for run in ("1", "2"):
        (tmp_path / run).mkdir()
        for name in ("OUTCAR", "vasprun.xml"):
            shutil.copy(files / name, tmp_path / run)
    shutil.copy(files / "OUTCAR", tmp_path / "2" / "OUTCAR.next")  # a run of its own, of which there is no vasprun.xml
    frames = read_frames(tmp_path)
    assert [frame.source.removeprefix(f"{tmp_path}/") for frame in frames] == ["1/vasprun.xml"] * 3 + ["2/OUTCAR.next"] * 3 + [
        "2/vasprun.xml"
    ] * 3
    assert f"{tmp_path}: not read, because another file of the same run is: OUTCAR (2 files)" in said.text


@pytest.mark.parametrize("names", [("OUTCAR.1", "vasprun.1.xml"), ("a_OUTCAR", "a_vasprun.xml"), ("OUTCAR", "data.vasprun.xml")])
def test_files_of_one_run_have_one_name(files, tmp_path, names):
    for name in names:
        shutil.copy(files / ("OUTCAR" if "OUTCAR" in name else "vasprun.xml"), tmp_path / name)
    expected = [names[1]] if "data" not in names[1] else list(names)
    assert [path.name for path, _ in find_sources(tmp_path)] == expected


def test_a_cp2k_trajectory_is_read_and_not_the_output_beside_it(files, tmp_path, said):
    for file in (files / "cp2k_md").glob("*"):
        shutil.copy(file, tmp_path)
    shutil.copy(files / "cp2k_2023.out", tmp_path)
    assert find_sources(tmp_path) == [(tmp_path / "h2md-pos-1.xyz", "cp2k")]
    assert "not read, because another file of the same run is: cp2k_2023.out" in said.text
    assert "not read: h2md-1.stress" in said.text  # forces and cell are, with the positions


def test_systems_and_stores_are_read_beside_files_and_not_descended_into(lj_run, tmp_path, said):
    write_deepmd(tmp_path / "systems" / "b", lj_run[:3])
    write_deepmd(tmp_path / "systems" / "a", lj_run[3:5])
    write_store(tmp_path / "store", lj_run[5:6])
    ase.io.write(tmp_path / "systems" / "more.extxyz", lj_run[6].to_atoms())
    expected = [("store", "store"), ("systems/a", "deepmd"), ("systems/b", "deepmd"), ("systems/more.extxyz", "extxyz")]
    assert find_sources(tmp_path) == [(tmp_path / name, format) for name, format in expected]
    assert len(read_frames(tmp_path)) == 7
    assert "not read" not in said.text


def test_a_link_that_leads_up_is_not_followed_twice(extxyz_folder):
    (extxyz_folder / "sub").mkdir()
    (extxyz_folder / "sub" / "up").symlink_to(extxyz_folder)
    assert len(read_frames(extxyz_folder)) == 2


def test_an_explicit_format_reads_all_deepmd_systems_below(lj_run, tmp_path):
    write_deepmd(tmp_path / "deep" / "a", lj_run[:3])
    assert len(read_frames(tmp_path, format="deepmd")) == 3


def test_a_folder_without_frames_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ValueError, match="holds no frame of a known format; give a file with at least one structure"):
        read_frames(tmp_path)
