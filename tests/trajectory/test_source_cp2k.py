"""CP2K: positions, the cell beside them, and velocities in atomic units."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from mlff.trajectory import import_trajectory

FILES = Path(__file__).parent / "files"
PER_FS = 0.529177210903 / 2.4188843265857e-2  # Å/fs of a Bohr per atomic unit of time


@pytest.fixture
def run(tmp_path) -> Path:
    """The positions, in a folder of copies."""
    (tmp_path / "run").mkdir()
    for name in ("run-pos-1.xyz", "run-vel-1.xyz", "run-1.cell"):
        shutil.copy(FILES / name, tmp_path / "run")
    return tmp_path / "run" / "run-pos-1.xyz"


def test_positions_cells_and_velocities(run, tmp_path):
    found = import_trajectory(run, tmp_path / "t")
    (frames,) = found.chunks()
    assert (found.numbers.tolist(), found.pbc.tolist()) == ([3, 17], [True] * 3)
    assert (found.steps.tolist(), found.about["timestep"], found.about["format"]) == ([0, 10, 20], 0.5, "cp2k")
    assert found.about["unwrapped"] is False  # by us: CP2K does not wrap
    np.testing.assert_allclose(frames.positions[:, 1], [[4, 2, -0.5], [4, 2.1, -0.6], [4, 2.2, -0.7]], rtol=0, atol=8e-6)
    np.testing.assert_allclose(frames.cells[:, 0, 0], [8.0, 8.02, 8.04], rtol=0, atol=1e-12)  # of the same steps
    velocities = found.velocities()
    assert velocities.steps.tolist() == [0, 20]
    np.testing.assert_allclose(velocities.values["velocities"][1], np.array([[4, 0, -2], [0, 3, 0]]) * 1e-4 * PER_FS, rtol=1e-6)


def test_a_constant_cell_comes_from_a_structure(run, tmp_path):
    run.with_name("run-1.cell").unlink()
    with pytest.raises(ValueError, match=r"found no .cell file beside it, expected that of the run; put it there, or give a structure"):
        import_trajectory(run, tmp_path / "t")
    found = import_trajectory(run, tmp_path / "t", structure=Atoms("LiCl", cell=[8, 7, 6], pbc=True))
    np.testing.assert_array_equal(next(found.chunks()).cells, [np.diag([8.0, 7, 6])] * 3)


def test_refusals(run, tmp_path):
    with pytest.raises(ValueError, match=r"found run-1.cell beside it and a structure, expected one home of the cell"):
        import_trajectory(run, tmp_path / "t", structure=Atoms("LiCl", cell=[8, 7, 6], pbc=True))
    with pytest.raises(ValueError, match=r"run-vel-1.xyz: found a file that is read with another one, .* give the project-pos-1.xyz"):
        import_trajectory(run.with_name("run-vel-1.xyz"), tmp_path / "t")
    velocities = run.with_name("run-vel-1.xyz")
    velocities.write_text(velocities.read_text().replace("i =       20", "i =       15"))
    with pytest.raises(ValueError, match="frame 2: is step 20, but velocities of step 15 come first; print both equally often"):
        import_trajectory(run, tmp_path / "t")
    velocities.unlink()
    cell = run.with_name("run-1.cell")
    text = cell.read_text()
    cell.write_text(text[: text.index("        15       7.500")])
    with pytest.raises(ValueError, match=r"frame 2: found no row of its step 20 in run-1.cell"):
        import_trajectory(run, tmp_path / "t")
    cell.write_text(text.replace("Ax [Angstrom]", "Ax [Bohr]").replace("[Angstrom]", "[Bohr]"))
    with pytest.raises(ValueError, match=r"expected \[Angstrom\]; print the cell in Å"):
        import_trajectory(run, tmp_path / "t")
    cell.write_text(text)
    run.write_text(run.read_text().replace("time =", "t ="))
    with pytest.raises(ValueError, match=r"expected CP2K's comment with i = and time =, in fs"):
        import_trajectory(run, tmp_path / "t")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]
