"""XDATCAR: one header or one per frame, direct coordinates, atoms that leave the cell."""

from pathlib import Path

import numpy as np
import pytest

from mlff.trajectory import import_trajectory

FILES = Path(__file__).parent / "files"
CELL = np.array([[6, 0, 0], [1.5, 7, 0], [0, 0.5, 8]])
STORED = 8e-6  # Å: half of the store's precision


def frames_of(trajectory):
    (frames,) = trajectory.chunks(size=100)
    return frames


def test_a_constant_cell(tmp_path):
    found = import_trajectory(FILES / "XDATCAR", tmp_path / "t", timestep=2.0)
    frames = frames_of(found)
    assert found.numbers.tolist() == [3, 3, 3, 15]
    assert found.times.tolist() == [2, 4, 6]  # configurations 1, 2, 3
    assert (found.about["format"], found.about["unwrapped"], found.about["ambiguous_frames"]) == ("xdatcar", True, 0)
    # the third atom crosses a and c
    expected = np.array([[0.98, 0.5, 0.02], [1.01, 0.5, -0.01], [1.04, 0.51, -0.04]]) @ CELL
    np.testing.assert_allclose(frames.positions[:, 2], expected, rtol=0, atol=STORED)
    np.testing.assert_array_equal(frames.cells, [CELL] * 3)


def test_a_header_before_each_frame_and_a_scale(tmp_path):
    frames = frames_of(import_trajectory(FILES / "XDATCAR_npt", tmp_path / "t", timestep=1.0))
    cell = 2 * np.array([[3.01, 0, 0], [0.77, 3.49, 0], [0, 0.27, 4.02]])
    np.testing.assert_allclose(frames.cells, [CELL, cell], rtol=0, atol=1e-14)
    np.testing.assert_allclose(frames.positions[1, 2], np.array([1.01, 0.5, -0.01]) @ cell, rtol=0, atol=STORED)


def changed(tmp_path, old: str, new: str, name: str = "XDATCAR") -> Path:
    text = (FILES / name).read_text()
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new))
    return tmp_path / name


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("XDATCAR", "Li3 P in a small box", ""),  # a blank title
        ("XDATCAR_npt", "unknown system", ""),
        ("XDATCAR_npt", "Li  P", "Li_sv/0a1b  P"),
        ("XDATCAR", "   1.0\n", "  -336.0\n"),  # the volume in place of the scale
        ("XDATCAR", "configuration=     3", "configuration=******"),
    ],
)
def test_what_may_differ(tmp_path, name, old, new):
    path = changed(tmp_path, old, new, name)
    path.write_text(path.read_text() + "\n \n")  # blank lines at the end
    found, expected = (import_trajectory(p, tmp_path / str(k), timestep=1.0) for k, p in enumerate((path, FILES / name)))
    np.testing.assert_array_equal(found.steps, expected.steps)
    np.testing.assert_allclose(frames_of(found).positions, frames_of(expected).positions, rtol=0, atol=1e-10)


def test_refusals(tmp_path):
    cases = (
        ("   Li_sv  P\n", "", "found '3 1', expected symbols of elements, as VASP 5 and later write them"),
        ("     3     1\n", "     3\n", "found '3', expected 2 numbers of atoms"),
        ("   1.0\n", "   one\n", "found 'one', expected 1 numbers: the scale of the cell"),
    )
    for old, new, message in cases:
        with pytest.raises(ValueError, match=message):
            import_trajectory(changed(tmp_path, old, new), tmp_path / "t", timestep=1.0)
    with pytest.raises(ValueError, match=r"XDATCAR, frame 0: found no time in this file, expected a timestep; give timestep=…"):
        import_trajectory(FILES / "XDATCAR", tmp_path / "t")
    with pytest.raises(ValueError, match="found species=…, which xdatcar has no use for"):
        import_trajectory(FILES / "XDATCAR", tmp_path / "t", timestep=1.0, species=["Li"])
    assert [path.name for path in tmp_path.iterdir()] == ["XDATCAR"]
