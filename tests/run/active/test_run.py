"""A campaign's folder, what may change in it, what its labels cost, and its trainings as train.py would compose them."""

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException
from omegaconf import OmegaConf

from mlff.active.ledger import Ledger
from mlff.run.active.run import take_folder
from mlff.run.active.training import Training
from mlff.run.command import CONF


def composed(*overrides: str):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("active", ["name=small", "schedule=[]", *overrides])


def test_a_folder_is_taken_and_taken_again(tmp_path):
    take_folder(tmp_path / "new", composed())
    take_folder(tmp_path / "new", composed())
    assert OmegaConf.load(tmp_path / "new" / "config.yaml").selection.n == 40
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["config.yaml"]


@pytest.mark.parametrize("change", ["executor.n_workers=2", "label.retry_failed=true", "convergence.ratio=0.9", "threads=1", "folder=/x"])
def test_where_and_how_long_it_runs_may_change(tmp_path, change):
    take_folder(tmp_path, composed())
    take_folder(tmp_path, composed(change))
    name, value = change.split("=")
    assert str(OmegaConf.select(OmegaConf.load(tmp_path / "config.yaml"), name)).lower() == value


@pytest.mark.parametrize(
    ("change", "words"),
    [("selection.n=20", "selection.n 40 → 20"), ("oracle=cp2k", "oracle"), ("explore.timestep=1.0", "explore.timestep 2.0 → 1.0")],
)
def test_what_decides_on_results_may_not(tmp_path, change, words):
    take_folder(tmp_path, composed())
    with pytest.raises(ValueError, match=f"holds a campaign with other settings .*{words}.*What may change: folder, threads, executor"):
        take_folder(tmp_path, composed(change))


def test_a_label_that_two_frames_share_costs_once(tmp_path):
    ledger = Ledger(tmp_path)
    for key, seconds in (("a", 1800.0), ("b", 3600.0), ("c", 900.0)):
        (tmp_path / f"{key}.json").write_text("{}")
        ledger.take_in({key: {"status": "labelled", "wall_time": seconds, "cores": 4, "core_seconds": 4 * seconds}})
    assert ledger.core_hours(["a", "b", "a"]) == pytest.approx(2.0 + 4.0)
    ledger.close()


def test_a_training_is_that_of_train_py(tmp_path):
    training = Training(["model=lean", "optimizer.lr=0.002"], ["trainer.max_epochs=7"], ["trainer.max_epochs=3"], seed=5)
    data, folder = tmp_path / "it's {data}, 50%.extxyz", tmp_path / "001" / "training"
    first, later = training.configuration(data, folder, None), training.configuration(data, folder, tmp_path / "a model")
    assert (first.data.path, first.folder, first.name, first.seed) == (str(data), str(folder), "001", 5)
    assert (first.model.architecture, first.optimizer.lr, first.uncertainty.n_members) == ("lean", 0.002, 4)
    assert (first.trainer.max_epochs, first.trainer.init_from) == (7, None)
    assert (later.trainer.max_epochs, later.trainer.init_from) == (3, str(tmp_path / "a model"))


def test_a_training_is_composed_beside_a_running_command(tmp_path):
    training = Training([], [], [], seed=0)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        training.configuration(tmp_path / "data.extxyz", tmp_path / "training", None)
        assert compose("active", ["name=x", "schedule=[]"]).name == "x"


def test_a_misspelt_setting_of_training_is_an_error(tmp_path):
    with pytest.raises(ConfigCompositionException, match=r"Could not override 'trainer\.epochs'"):
        Training(["trainer.epochs=3"], [], [], seed=0).configuration(tmp_path / "data", tmp_path / "training", None)
