"""vasprun.xml: an ionic step at a time, in units of POTIM."""

from pathlib import Path

import numpy as np
import pytest

from mlff.trajectory import import_trajectory

FILE = Path(__file__).parent / "files" / "vasprun.xml"


def test_positions_cells_and_times(tmp_path):
    found = import_trajectory(FILE, tmp_path / "t")
    (frames,) = found.chunks()
    assert found.numbers.tolist() == [3, 17]
    assert found.times.tolist() == [0, 1.5]
    assert found.series_names == ()
    cells = np.array([[[4, 0, 0], [0, 5, 0], [1, 0, 6]], [[4.1, 0, 0], [0, 5, 0], [1, 0, 6]]])
    np.testing.assert_allclose(frames.cells, cells, rtol=0, atol=1e-14)
    # 0.02 → −0.03 of a
    np.testing.assert_allclose(frames.positions[:, 0], [[0.33, 2.5, 1.5], [0.127, 2.5, 1.5]], rtol=0, atol=8e-6)


def test_memory_does_not_grow_with_the_steps(tmp_path):
    """What was read of an ionic step is forgotten: elements of the tree that are alive while the last one is read."""
    import tracemalloc

    head, rest = FILE.read_text().split(" <calculation>", 1)
    step = " <calculation>" + rest.split(" <calculation>")[0]
    peaks = []
    for n in (50, 800):
        (tmp_path / "vasprun.xml").write_text(head + n * step + "</modeling>\n")
        tracemalloc.start()
        import_trajectory(tmp_path / "vasprun.xml", tmp_path / str(n))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 2**20


def test_one_that_was_cut_off(tmp_path):
    text = FILE.read_text()
    (tmp_path / "vasprun.xml").write_text(text[: text.rindex("0.97000000")])
    with pytest.raises(ValueError, match=r"ends inside frame 1 .*; 1 whole frames precede: take those with allow_truncated=True"):
        import_trajectory(tmp_path / "vasprun.xml", tmp_path / "t")
    assert len(import_trajectory(tmp_path / "vasprun.xml", tmp_path / "t", allow_truncated=True, timestep=1.5)) == 1


def test_potim_of_a_relaxation_is_no_time(tmp_path):
    (tmp_path / "vasprun.xml").write_text(FILE.read_text().replace('"IBRION">     0<', '"IBRION">     2<'))
    with pytest.raises(ValueError, match="found no time in this file, expected a timestep"):
        import_trajectory(tmp_path / "vasprun.xml", tmp_path / "t")


def test_one_without_species(tmp_path):
    (tmp_path / "vasprun.xml").write_text(FILE.read_text().replace('array name="atoms"', 'array name="ions"'))
    with pytest.raises(ValueError, match="frame 0: found no species, cell or positions of all atoms"):
        import_trajectory(tmp_path / "vasprun.xml", tmp_path / "t")
