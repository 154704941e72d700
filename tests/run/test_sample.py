"""Sampling: strained cells, and runs that any number of starts makes the same."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.io import read, write

from mlff.run.sample import sample_frames, strained


@pytest.mark.parametrize("kind", ["isotropic", "uniaxial", "shear"])
def test_strains_stay_within_their_bound(kind, rng):
    crystal = bulk("Cu", cubic=True)
    seen = []
    for _ in range(50):
        copy = strained(crystal, kind, 0.04, rng)
        strain = np.linalg.solve(crystal.cell.array, copy.cell.array) - np.eye(3)
        np.testing.assert_allclose(copy.get_scaled_positions(), crystal.get_scaled_positions(), atol=1e-12)
        np.testing.assert_allclose(strain, strain.T, atol=1e-12)  # no rotation
        assert abs(strain).max() <= 0.04
        seen.append(np.linalg.matrix_rank(strain, tol=1e-9))
    assert set(seen) == {{"isotropic": 3, "uniaxial": 1, "shear": 3}[kind]}


def test_an_unknown_strain_is_refused(rng):
    with pytest.raises(ValueError, match="unknown strain 'twist'; expected one of"):
        strained(bulk("Cu"), "twist", 0.04, rng)


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
