import numpy as np
import pytest
from ase.calculators.vasp import VaspChargeDensity
from ase.io.cube import read_cube

from mlff.analysis.density import density_files
from mlff.analysis.density.density_files import write_chgcar, write_cube
from mlff.units import BOHR
from tests.analysis.trajectories import CELL

SHAPE = (3, 4, 7)  # lines that do not fill, and no two axes alike
SYMBOLS = ("P", "S", "P")
POSITIONS = np.array([[0.1, 0.2, 0.3], [0.5, 0.5, 0.5], [0.9, 0.1, 0.7]]) @ CELL


def test_a_cube_file_reads_back(rng, tmp_path):
    """In bohr and 1/bohr³, so that it still integrates to the same number."""
    density = rng.random(SHAPE)
    write_cube(tmp_path / "li.cube", density, CELL, SYMBOLS, POSITIONS, "Li at 600 K")
    with open(tmp_path / "li.cube") as file:
        found = read_cube(file)
    np.testing.assert_allclose(found["data"], density * BOHR**3, rtol=1e-6)
    assert np.abs(found["origin"]).max() == 0
    np.testing.assert_allclose(found["atoms"].cell.array, CELL, atol=1e-8)
    np.testing.assert_allclose(found["atoms"].positions, POSITIONS, atol=1e-8)
    assert found["atoms"].get_chemical_symbols() == list(SYMBOLS)
    volume = np.linalg.det(CELL / BOHR) / density.size
    assert found["data"].sum() * volume == pytest.approx(density.mean() * np.linalg.det(CELL), rel=1e-6)


def test_a_chgcar_reads_back(rng, tmp_path):
    """Programs divide by the volume of the cell."""
    density = rng.random(SHAPE)
    write_chgcar(tmp_path / "CHGCAR", density, CELL, SYMBOLS, POSITIONS, "Li at 600 K")
    found = VaspChargeDensity(str(tmp_path / "CHGCAR"))
    np.testing.assert_allclose(found.chg[0], density, rtol=1e-9)
    atoms = found.atoms[0]
    np.testing.assert_allclose(atoms.cell.array, CELL)
    assert atoms.get_chemical_symbols() == ["P", "P", "S"]
    np.testing.assert_allclose(atoms.positions, POSITIONS[[0, 2, 1]])


def test_a_density_alone_makes_a_cube_file(rng, tmp_path):
    write_cube(tmp_path / "li.cube", rng.random(SHAPE), CELL)
    with open(tmp_path / "li.cube") as file:
        assert len(read_cube(file)["atoms"]) == 0


@pytest.mark.parametrize("write", [write_cube, write_chgcar])
def test_a_file_is_whole_or_not_at_all(write, rng, tmp_path, monkeypatch):
    path = tmp_path / "CHGCAR"
    path.write_text("before")

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(density_files, "_in_lines", killed)
    with pytest.raises(KeyboardInterrupt):
        write(path, rng.random(SHAPE), CELL, SYMBOLS, POSITIONS)
    assert path.read_text() == "before"


def test_what_a_file_cannot_hold_is_refused(tmp_path):
    density = np.ones(SHAPE)
    with pytest.raises(ValueError, match=r"2 symbols and positions of \(3, 3\)"):
        write_cube(tmp_path / "x", density, CELL, SYMBOLS[:2], POSITIONS)
    with pytest.raises(ValueError, match="write the density"):
        write_cube(tmp_path / "x", np.full(SHAPE, np.inf), CELL)
    with pytest.raises(ValueError, match="more than one line"):
        write_cube(tmp_path / "x", density, CELL, title="a\nb")
    with pytest.raises(ValueError, match="a CHGCAR cannot be without"):
        write_chgcar(tmp_path / "x", density, CELL)
    assert list(tmp_path.iterdir()) == []
