"""The result of a campaign is the better of two models, by test frames that neither learnt."""

import shutil
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file

from mlff.active.final import keep, learn_the_rest
from mlff.active.surrogate import Surrogate
from tests.active.alloy import frames


@pytest.mark.parametrize("worse", [False, True])
def test_the_new_model_is_kept_where_it_errs_no_more(tmp_path, model, worse):
    data = frames(3, seed=7)
    for frame, forces in zip(data, Surrogate(model).forces(data), strict=True):
        frame.arrays["REF_forces"] = forces  # which the old model hits exactly
        frame.info["split"] = "test"
    data[0].info["split"] = "train"

    def train(file: Path, folder: Path, start: Path) -> None:
        assert start == model
        shutil.copytree(model, folder / "model")
        if worse:
            weights = load_file(folder / "model" / "weights.safetensors")
            save_file({name: 1.1 * values for name, values in weights.items()}, folder / "model" / "weights.safetensors")

    kept, words = learn_the_rest(tmp_path, model, data, train)
    assert kept == (model if worse else tmp_path / "final" / "training" / "model")
    assert "(1 frames)" in words
    assert ("the old model stays" in words) is worse


def test_what_is_kept_takes_the_place_of_an_older_result(tmp_path, model):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "old").write_text("")
    keep(model, tmp_path)
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == sorted(path.name for path in model.iterdir())
