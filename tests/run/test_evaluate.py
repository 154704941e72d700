import dataclasses
import json
import re

import numpy as np
import pytest
from ase.io import read
from hydra import compose, initialize_config_dir

from mlff.data import read_frames, split_frames
from mlff.run.evaluate import evaluate
from tests.run.conftest import CONF, labelled_frames, write_frames


def config(folder, model, data, *overrides):
    with initialize_config_dir(str(CONF / "evaluate"), version_base="1.3"):
        return compose("evaluate", [f"model={model}", f"data={data}", f"folder={folder}", *overrides])


def test_the_same_numbers_as_the_training_gave(finished_run, data_file, tmp_path):
    """Evaluating the frames of a run's test part gives the metrics that the run wrote for it."""
    frames = read_frames(data_file)
    test = split_frames(frames, kind="trajectory_block", fractions=(0.5, 0.25, 0.25), seed=0).test
    data = write_frames(tmp_path / "test.extxyz", [frames[i] for i in test])
    metrics = evaluate(config(tmp_path / "out", finished_run / "model", data))["test"]["overall"]
    written = json.loads((finished_run / "metrics.json").read_text())["test"]["overall"]
    for name in ("energy_mae", "force_rmse", "stress_mae", "n_force"):
        assert metrics[name] == pytest.approx(written[name], rel=1e-4), name  # extxyz rounds to 8 digits
    assert (tmp_path / "out" / "report.html").stat().st_size > 0


def test_predictions_stand_beside_the_reference(finished_run, tmp_path):
    frames = labelled_frames(3, seed=9)
    evaluate(config(tmp_path / "out", finished_run / "model", write_frames(tmp_path / "new.extxyz", frames)))
    for atoms, frame in zip(read(tmp_path / "out" / "predictions.extxyz", ":"), frames, strict=True):
        np.testing.assert_allclose(atoms.arrays["REF_forces"], frame.forces, atol=1e-6)
        assert not np.allclose(atoms.arrays["MLFF_forces"], frame.forces)
        assert atoms.info["REF_energy"] == pytest.approx(frame.energy)
        assert np.isfinite(atoms.info["MLFF_energy"])


def test_frames_that_were_trained_on_are_recognised_without_their_metadata(finished_run, data_file, tmp_path, caplog):
    frames = [dataclasses.replace(frame, info={"trajectory": frame.info["trajectory"]}, stress=None) for frame in read_frames(data_file)]
    model = finished_run / "model"
    evaluate(config(tmp_path / "all", model, write_frames(tmp_path / "bare.extxyz", frames)))
    assert "was trained on 12 of these 24 frames" in caplog.text
    assert "trained on 12 of these 24" in (tmp_path / "all" / "report.html").read_text()
    caplog.clear()
    evaluate(config(tmp_path / "new", model, write_frames(tmp_path / "new.extxyz", labelled_frames(3, seed=9))))
    assert "was trained on" not in caplog.text


def test_unknown_species_at_evaluation(finished_run, tmp_path):
    frame = labelled_frames(1)[0]
    odd = dataclasses.replace(frame, numbers=np.where(frame.numbers == 3, 11, frame.numbers))
    data = write_frames(tmp_path / "odd.extxyz", [odd])
    message = re.escape("odd.extxyz, frame 0 holds Na, but the model was trained on Li, P, S, Ge; add the species to `data.species`")
    with pytest.raises(ValueError, match=message):
        evaluate(config(tmp_path / "out", finished_run / "model", data))
    assert not (tmp_path / "out").exists()


def test_a_missing_model(tmp_path, data_file):
    with pytest.raises(FileNotFoundError, match="expected a model artefact"):
        evaluate(config(tmp_path / "out", tmp_path / "nothing", data_file))
    with pytest.raises(FileNotFoundError, match="the package bundles no model 'nothing'"):
        evaluate(config(tmp_path / "out", "bundled:nothing", data_file))
