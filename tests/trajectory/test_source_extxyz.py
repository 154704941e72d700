"""XYZ as ASE writes it, and without a cell."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.io import write

from mlff.trajectory import import_trajectory

CELL = np.array([[7.0, 0, 0], [1, 8, 0], [0, 2, 9]])


def images(rng, n: int = 4) -> list[Atoms]:
    found = []
    for k in range(n):
        atoms = Atoms("LiClLi", np.array([[1, 1, 1], [4, 4, 4], [6.9, 2, 2]]) + 0.1 * k, cell=CELL, pbc=True)
        atoms.set_velocities(rng.normal(scale=0.05, size=(3, 3)))
        found.append(atoms)
    return found


@pytest.mark.parametrize("name", ["x.extxyz", "x.xyz", "x.xyz.gz"])
def test_what_ase_writes(tmp_path, rng, name):
    """Also forces and tags in columns that are passed over, masses of isotopes, and a frame that is wrapped."""
    frames = images(rng)
    for k, atoms in enumerate(frames):
        atoms.info.update(step=5 * k + 10, time=2.5 * k + 5, text="a = b", energy=-1.5)
        atoms.arrays["forces"] = rng.normal(size=(3, 3))
        atoms.set_masses([6.015, 35.45, 6.015])
        if k > 1:
            atoms.wrap()
    write(tmp_path / "y", frames, format="extxyz")
    data = (tmp_path / "y").read_bytes()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    found = import_trajectory(tmp_path / name, tmp_path / "t")
    (read,) = found.chunks()
    assert (found.about["format"], found.about["timestep"], found.steps.tolist()) == ("extxyz", 0.5, [10, 15, 20, 25])
    np.testing.assert_allclose(found.masses, [6.015, 35.45, 6.015], rtol=1e-6)
    np.testing.assert_allclose(read.positions[:, 2], np.array([6.9, 2, 2]) + 0.1 * np.arange(4)[:, None], rtol=0, atol=8e-6)
    np.testing.assert_allclose(read.cells, [CELL] * 4, rtol=0, atol=1e-12)
    expected = [atoms.get_velocities() * units.fs for atoms in frames]
    np.testing.assert_allclose(found.velocities().values["velocities"], expected, rtol=0, atol=1e-8)


def test_without_a_cell(tmp_path):
    (tmp_path / "x.xyz").write_text("2\na comment\nLi 0 0 0\nCl 2.5 0 0\n2\n\nLi -600 0 0\nCl 2.6 0 0\n")
    found = import_trajectory(tmp_path / "x.xyz", tmp_path / "a", timestep=4.0)
    assert (found.pbc.tolist(), found.times.tolist(), found.numbers.tolist()) == ([False] * 3, [0, 4], [3, 17])
    np.testing.assert_allclose(next(found.chunks()).positions[1, 0], [-600, 0, 0], rtol=0, atol=8e-6)
    cell = Atoms("LiCl", cell=[5, 5, 5], pbc=True)
    found = import_trajectory(tmp_path / "x.xyz", tmp_path / "b", timestep=4.0, structure=cell)
    np.testing.assert_allclose(next(found.chunks()).positions[1, 0], [0, 0, 0], rtol=0, atol=8e-6)
    np.testing.assert_array_equal(next(found.chunks()).cells, [5 * np.eye(3)] * 2)


def test_a_timestep_that_is_given_is_put_before_a_time_that_has_no_unit(tmp_path, rng):
    frames = images(rng)
    for k, atoms in enumerate(frames):
        atoms.info.update(step=k, time=0.002 * k)  # ps
    write(tmp_path / "x.extxyz", frames)
    assert import_trajectory(tmp_path / "x.extxyz", tmp_path / "t", timestep=2.0).times.tolist() == [0, 2, 4, 6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 atom\n\nLi 0 0 0\n", "frame 0: found '1 atom', expected the number of atoms"),
        ('1\nLattice="1 2 3"\nLi 0 0 0\n', "found '1 2 3', expected the nine numbers of a Lattice"),
        ("1\nProperties=species:S:1:pos:R:2\nLi 0 0\n", "expected 3 columns of pos"),
        ("1\nProperties=species:S:1:r:R:3\nLi 0 0 0\n", "expected Properties with species and pos"),
        (
            '1\nLattice="1 0 0 0 1 0 0 0 0.4" pbc="T T T"\nLi 0 0 0\n',
            r"found 0.4 Å³ of cell per atom, expected more than 0.5; .* such as nm",
        ),
    ],
)
def test_refusals(tmp_path, text, message):
    (tmp_path / "x.xyz").write_text(text)
    with pytest.raises(ValueError, match=message):
        import_trajectory(tmp_path / "x.xyz", tmp_path / "t", timestep=1.0)
    assert [path.name for path in tmp_path.iterdir()] == ["x.xyz"]


def test_a_cell_in_both_places_is_not_chosen_between(tmp_path, rng):
    write(tmp_path / "x.extxyz", images(rng))
    with pytest.raises(ValueError, match="found a Lattice and a structure, expected one home of the cell; leave structure out"):
        import_trajectory(Path(tmp_path / "x.extxyz"), tmp_path / "t", timestep=1.0, structure=images(rng)[0])
