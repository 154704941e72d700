import ase.io
import numpy as np
import pytest

from mlff.data import read_frames
from mlff.run.predictions_file import write_predictions
from mlff.train.metrics import FramePrediction
from tests.run.conftest import labelled_frames


@pytest.fixture
def pairs():
    """Frames, and predictions that are wrong by one percent; six different stress components tell their order."""
    frames = labelled_frames(4)
    return frames, [FramePrediction(1.01 * f.energy, 1.01 * f.forces, 1.01 * f.stress) for f in frames]


def test_our_own_reader_finds_the_reference_and_not_the_prediction(pairs, tmp_path):
    frames, predictions = pairs
    write_predictions(tmp_path / "predictions.extxyz", frames, predictions)
    for back, frame in zip(read_frames(tmp_path / "predictions.extxyz"), frames, strict=True):
        np.testing.assert_allclose(back.stress, frame.stress, rtol=1e-12)
        np.testing.assert_allclose(back.forces, frame.forces, atol=1e-8)  # eight decimals in the file
        assert back.energy == pytest.approx(frame.energy, rel=1e-12)
        assert (back.energy_kind, back.info) == (frame.energy_kind, frame.info)


def test_stresses_are_six_numbers_in_the_order_of_voigt(pairs, tmp_path):
    frames, predictions = pairs
    write_predictions(tmp_path / "predictions.extxyz", frames, predictions)
    assert "_JSON" not in (tmp_path / "predictions.extxyz").read_text()
    for atoms, frame in zip(ase.io.read(tmp_path / "predictions.extxyz", ":"), frames, strict=True):
        order = (0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)
        np.testing.assert_allclose(atoms.info["REF_stress"], frame.stress[order], rtol=1e-12)
        np.testing.assert_allclose(atoms.info["MLFF_stress"], 1.01 * frame.stress[order], rtol=1e-12)


def test_a_missing_stress_is_left_out(pairs, tmp_path):
    frames, predictions = pairs
    without = [FramePrediction(p.energy, p.forces, None) for p in predictions]
    write_predictions(tmp_path / "predictions.extxyz", frames, without)
    found = [set(atoms.info) for atoms in ase.io.read(tmp_path / "predictions.extxyz", ":")]
    assert all("REF_stress" in keys and "MLFF_stress" not in keys for keys in found)
