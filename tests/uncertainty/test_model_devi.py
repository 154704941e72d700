import numpy as np
import pytest

from mlff.uncertainty import FrameDeviation, ModelDeviWriter, frame_deviation, read_model_devi

# as DeePMD-kit's pair style writes it, with `setw` and `scientific`
DEEPMD = """\
#       step         max_devi_v         min_devi_v         avg_devi_v         max_devi_f         min_devi_f         avg_devi_f
           0       2.000000e-03       1.000000e-03       1.500000e-03       3.000000e-01       1.000000e-02       1.000000e-01
         100       4.500000e-03       1.250000e-03       2.500000e-03       1.234568e+01       1.000000e-02       2.000000e-01
"""


def test_the_file_is_deepmds_to_the_letter(tmp_path):
    with ModelDeviWriter(tmp_path / "model_devi.out") as out:
        out.append(0, FrameDeviation(np.array([0.3, 0.01, 0.01, 0.08]), None, 1e-3 * np.array([[2, 1, 1.5]] * 3)))
        assert (tmp_path / "model_devi.out").read_text().count("\n") == 2  # on disk before the file is closed
    ours = (tmp_path / "model_devi.out").read_text().splitlines()
    theirs = DEEPMD.splitlines()
    assert ours[0] == theirs[0]
    mean_v = np.sqrt((4 + 1 + 2.25) / 3) * 1e-3
    assert ours[1] == theirs[1].replace("1.500000e-03", f"{mean_v:.6e}")
    assert np.loadtxt(tmp_path / "model_devi.out").shape == (7,)


def test_what_is_written_is_read(tmp_path, rng):
    frames = [frame_deviation(rng.normal(size=(4, 8, 3)), None, rng.normal(size=(4, 3, 3))) for _ in range(5)]
    with ModelDeviWriter(tmp_path / "new" / "model_devi.out") as out:
        for number, frame in enumerate(frames):
            out.append(50 * number, frame)
    found = read_model_devi(tmp_path / "new" / "model_devi.out")
    assert found["step"].tolist() == [0, 50, 100, 150, 200]
    for column, name in (
        ("max_devi_f", "max_force"),
        ("min_devi_f", "min_force"),
        ("avg_devi_f", "mean_force"),
        ("avg_devi_v", "mean_virial"),
    ):
        np.testing.assert_allclose(found[column], [getattr(frame, name) for frame in frames], rtol=1e-6)  # seven digits are written


def test_deepmds_files_are_read_with_their_further_columns(tmp_path):
    path = tmp_path / "model_devi.out"
    path.write_text("# data.0\n" + DEEPMD.replace("avg_devi_f", "avg_devi_f             devi_e").replace("e-01\n", "e-01       7.0e-03\n"))
    found = read_model_devi(path)
    assert found["step"].tolist() == [0, 100]
    assert found["max_devi_f"].tolist() == [0.3, 12.34568]
    assert found["max_devi_v"].tolist() == [2e-3, 4.5e-3]
    assert list(found) == ["step", "max_devi_v", "min_devi_v", "avg_devi_v", "max_devi_f", "min_devi_f", "avg_devi_f"]


def test_a_run_that_was_killed_goes_on_where_its_last_whole_line_ends(tmp_path):
    path = tmp_path / "model_devi.out"
    path.write_text(DEEPMD + "         200       4.5000")
    assert read_model_devi(path)["step"].tolist() == [0, 100]
    with ModelDeviWriter(path) as out:
        out.append(200, FrameDeviation(np.array([0.5, 0.1, 0.3]), None, np.full((3, 3), 2e-3)))
    assert path.read_text().startswith(DEEPMD)
    assert path.read_text().count("#") == 1
    found = read_model_devi(path)
    assert found["step"].tolist() == [0, 100, 200]
    assert [found[name][2] for name in ("avg_devi_v", "max_devi_f", "avg_devi_f")] == pytest.approx([2e-3, 0.5, 0.3])


def test_a_frame_without_a_virial_is_not_a_perfect_one(tmp_path):
    with ModelDeviWriter(tmp_path / "m.out") as out:
        out.append(0, frame_deviation(np.zeros((2, 1, 3))))
    found = read_model_devi(tmp_path / "m.out")
    assert np.isnan(found["max_devi_v"]).all()
    assert found["max_devi_f"].tolist() == [0.0]


@pytest.mark.parametrize("line", ["100 1.0 2.0", "100 1 2 3 4 5 six"])
def test_a_line_that_is_no_row_is_named(tmp_path, line):
    (tmp_path / "m.out").write_text(DEEPMD + line + "\n")
    with pytest.raises(ValueError, match=f"line 4: found '{line}', expected 7 numbers: step, max_devi_v"):
        read_model_devi(tmp_path / "m.out")


def test_an_empty_file_has_no_frames(tmp_path):
    (tmp_path / "m.out").write_text("")
    assert len(read_model_devi(tmp_path / "m.out")["step"]) == 0
