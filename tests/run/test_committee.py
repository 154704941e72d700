"""A committee from training to artefact."""

import json

import pytest
import torch

from mlff.artefact import load
from mlff.engine import Committee
from mlff.run.bootstrap import bootstrap_weights
from mlff.run.train import train
from tests.run.conftest import train_config

COMMITTEE = ("uncertainty=committee", "uncertainty.n_members=3")
# one validation, at the end: which epoch is kept depends on nothing
EXACT = ("trainer.dtype=float64", "trainer.max_epochs=3", "trainer.validations=1")


@pytest.fixture(scope="module")
def committee_run(tmp_path_factory, data_file):
    folder = tmp_path_factory.mktemp("runs") / "small"
    train(train_config(folder, data_file, *COMMITTEE))
    return folder


def test_one_run_one_artefact(committee_run):
    artefact = load(committee_run / "model")
    assert json.loads((committee_run / "model" / "card.json").read_text())["n_members"] == 3
    assert isinstance(artefact.potential, Committee)
    first, second, third = (member.architecture.readout.last.weight for member in artefact.members)
    assert not torch.equal(first, second)
    assert not torch.equal(second, third)


def test_members_do_not_feel_each_other(data_file, tmp_path):
    """The first member of a committee is the potential that its seed gives alone."""
    train(train_config(tmp_path / "alone", data_file, *EXACT))
    train(train_config(tmp_path / "together", data_file, *EXACT, *COMMITTEE, "uncertainty.bootstrap=false"))
    alone = load(tmp_path / "alone" / "model").members[0].state_dict()
    for name, tensor in load(tmp_path / "together" / "model").members[0].state_dict().items():
        # rounding, grown by a preconditioner that divides by small numbers
        torch.testing.assert_close(tensor, alone[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("model", ["lean", "lean2"])
def test_engine_and_autograd_train_the_same(data_file, tmp_path, model):
    metrics = {}
    for derivatives in ("engine", "autograd"):
        folder = tmp_path / derivatives
        train(train_config(folder, data_file, *EXACT, f"model={model}", f"trainer.derivatives={derivatives}"))
        metrics[derivatives] = json.loads((folder / "metrics.json").read_text())
    for split, result in metrics["engine"].items():
        for key, value in result["overall"].items():
            # four digits are printed
            assert value == pytest.approx(metrics["autograd"][split]["overall"][key], rel=1e-6), (split, key)


def test_bootstrap_weights(data_file, tmp_path):
    cfg = train_config(tmp_path, data_file, *COMMITTEE).uncertainty
    weights = bootstrap_weights(5000, cfg, seed=1)
    assert weights.shape == (3, 5000)
    assert (weights > 0).all()
    torch.testing.assert_close(weights.mean(1), torch.ones(3))
    # Exp(1): standard deviation 1, and members independent
    torch.testing.assert_close(weights.std(1), torch.ones(3), rtol=0.1, atol=0)
    assert abs(torch.corrcoef(weights)[0, 1]) < 0.05
    cfg.bootstrap = False
    assert (bootstrap_weights(7, cfg, seed=1) == 1).all()


def test_fine_tuning_keeps_the_number_of_members(committee_run, data_file, tmp_path):
    with pytest.raises(ValueError, match=r"has 3 member\(s\), but `uncertainty.n_members` is 1; fine-tuning keeps the members"):
        train(train_config(tmp_path / "tuned", data_file, f"trainer.init_from={committee_run / 'model'}"))
    train(train_config(tmp_path / "tuned", data_file, f"trainer.init_from={committee_run / 'model'}", *COMMITTEE))
    assert len(load(tmp_path / "tuned" / "model").members) == 3
