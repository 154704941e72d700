"""A set's name changes with anything that training sees; a geometry's name with the geometry alone."""

import dataclasses
import re

import ase.io
import numpy as np
import pytest
from ase import Atoms

from mlff.data import Frame, data_hash, geometry_hash, read_frames

CHANGES = {
    "energy": lambda f: dataclasses.replace(f, energy=f.energy + 1e-9),
    "a position": lambda f: dataclasses.replace(f, positions=f.positions + 1e-12),
    "the cell": lambda f: dataclasses.replace(f, cell=f.cell * (1 + 1e-12)),
    "a force": lambda f: dataclasses.replace(f, forces=-f.forces),
    "a missing stress": lambda f: dataclasses.replace(f, stress=None),
    "a species": lambda f: dataclasses.replace(f, numbers=f.numbers[::-1]),
    "pbc": lambda f: dataclasses.replace(f, pbc=[True, True, False]),
    "the kind of energy": lambda f: dataclasses.replace(f, energy_kind="sigma0"),
    "config_type": lambda f: dataclasses.replace(f, info={"config_type": "IsolatedAtom"}),
}
OF_THE_LABELS = ("energy", "a force", "a missing stress", "the kind of energy", "config_type")


@pytest.mark.parametrize("change", CHANGES)
def test_hash_changes_with(lj_run, change):
    assert data_hash([CHANGES[change](lj_run[0]), lj_run[1]]) != data_hash(lj_run[:2])


def test_hash_knows_order_but_not_place(lj_run):
    assert data_hash(lj_run[:2]) != data_hash(lj_run[1::-1])
    assert data_hash([dataclasses.replace(f, source="elsewhere") for f in lj_run]) == data_hash(lj_run)
    assert re.fullmatch("[0-9a-f]{64}", data_hash(lj_run))


def test_a_geometry_keeps_its_name_through_a_file(lj_run, tmp_path):
    ase.io.write(tmp_path / "lj.extxyz", [frame.to_atoms() for frame in lj_run])  # 8 decimals
    again = read_frames(tmp_path / "lj.extxyz")
    assert any(not np.array_equal(one.positions, other.positions) for one, other in zip(lj_run, again, strict=True))
    assert [geometry_hash(frame) for frame in again] == [geometry_hash(frame) for frame in lj_run]
    assert len({geometry_hash(frame) for frame in lj_run}) == 60
    assert re.fullmatch("[0-9a-f]{16}", geometry_hash(lj_run[0]))


def test_coordinates_that_files_print_lie_inside_a_box(tmp_path):
    # four decimals, of which rounding to three would decide every tenth by the last bit
    positions = np.arange(-300, 300).reshape(-1, 3) * 5e-4
    frame = Frame.from_atoms(Atoms("Ar200", positions=positions))
    for change in (1e-8, -1e-8):
        assert geometry_hash(dataclasses.replace(frame, positions=positions + change)) == geometry_hash(frame)


@pytest.mark.parametrize("change", OF_THE_LABELS)
def test_a_geometry_has_one_name_whatever_its_labels(lj_run, change):
    assert geometry_hash(CHANGES[change](lj_run[0])) == geometry_hash(lj_run[0])


@pytest.mark.parametrize("change", ["a species", "pbc"])
def test_other_atoms_have_another_name(lj_run, change):
    assert geometry_hash(CHANGES[change](lj_run[0])) != geometry_hash(lj_run[0])


@pytest.mark.parametrize("what", ["positions", "cell"])
def test_a_move_of_a_hundredth_of_an_angstrom_is_another_geometry(lj_run, what):
    moved = getattr(lj_run[0], what).copy()
    moved[1, 1] += 0.01
    assert geometry_hash(dataclasses.replace(lj_run[0], **{what: moved})) != geometry_hash(lj_run[0])
