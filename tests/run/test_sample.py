"""Sampling: runs that any number of starts makes the same."""

from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import read, write

from mlff.run.sample import sample_frames


def test_runs_do_not_depend_on_what_was_run_before(tmp_path):
    write(tmp_path / "cu.extxyz", bulk("Cu", cubic=True))
    structure = {"name": "cu", "config_type": "fcc", "file": tmp_path / "cu.extxyz", "repeat": [2, 1, 1]}
    few = {"n_frames": 2, "n_warmup": 3, "n_between": 3}
    files = sample_frames(EMT, structure, [300, 600], [0, 1], tmp_path / "all", **few)
    assert [file.name for file in files] == ["cu-300K-00.extxyz", "cu-600K-00.extxyz", "cu-300K-01.extxyz", "cu-600K-01.extxyz"]
    one = sample_frames(EMT, structure, [600], [1], tmp_path / "one", **few)[0]
    assert one.read_text() == files[3].read_text()
    frames = read(one, ":")
    assert len(frames) == 2
    assert len(frames[0]) == 8
    assert frames[0].info == {
        "config_type": "fcc",
        "structure": "cu",
        "temperature": 600.0,
        "trajectory": "cu-600K-01",
        "strain": "uniaxial",
    }
    assert abs(frames[1].positions - frames[0].positions).max() > 1e-3
    # a finished run is kept
    one.write_text(files[0].read_text())
    sample_frames(EMT, structure, [600], [1], tmp_path / "one", **few)
    assert one.read_text() == files[0].read_text()
