"""A committee from training to artefact."""

import json

import numpy as np
import pytest
import torch

from mlff.artefact import load
from mlff.data import read_frames
from mlff.data.dataset import FrameDataset
from mlff.engine import Committee
from mlff.run.bootstrap import bootstrap_weights
from mlff.run.train import leave_to_autograd, train
from mlff.uncertainty.features import last_layer_features
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
            # four digits are printed; the mean error in training is rounding about 0
            assert value == pytest.approx(metrics["autograd"][split]["overall"][key], rel=1e-6, abs=1e-9), (split, key)


def test_which_derivatives(monkeypatch):
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert leave_to_autograd("autograd", 4, gpu)
    assert not leave_to_autograd("engine", 1, cpu)
    monkeypatch.setenv("MLFF_NATIVE", "0")
    # without kernels the engine pays for a committee only
    assert leave_to_autograd("auto", 1, cpu)
    assert not leave_to_autograd("auto", 4, cpu)
    assert not leave_to_autograd("auto", 1, gpu)
    with pytest.raises(ValueError, match=r"trainer\.derivatives is 'numerical', expected auto, engine or autograd"):
        leave_to_autograd("numerical", 1, cpu)


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


def test_the_spread_is_calibrated_and_kept(committee_run):
    artefact = load(committee_run / "model")
    # 6 validation frames of 12 atoms: too few of each element, enough of the framework
    assert artefact.calibration.groups == ["all"]
    deviation = np.array([0.1, 0.2])
    sigma, _ = artefact.calibration.sigma(deviation, np.array(artefact.calibration.groups[:1] * 2))
    assert (sigma > 0).all()
    tried = artefact.card["uncertainty"]["test"]
    assert set(tried) == {"Li", "framework", "all"}
    assert all(0 < row["coverage_68"] <= 1 and row["spearman_grade"] is not None for row in tried.values())
    assert 'id="uncertainty"' in (committee_run / "report.html").read_text()


def test_the_grade_of_training_atoms_is_at_most_one(committee_run, data_file):
    """γ ≤ 1 wherever the active set was chosen from; it survives the file."""
    artefact = load(committee_run / "model")
    frames = [frame for frame in read_frames(data_file) if artefact.trained_on([frame])]
    member = artefact.members[0]
    features, symbols = last_layer_features(member, FrameDataset(frames, member.species, member.r_max))
    assert len(frames) == 12
    assert artefact.grade(features, symbols).max() <= 1.01  # the tolerance of its selection, and float32
    assert artefact.grade(10 * features, symbols).max() > 2


def test_features_give_the_energy(committee_run, data_file):
    member = load(committee_run / "model").members[0].requires_grad_(False)
    frames = read_frames(data_file)[:2]
    data = FrameDataset(frames, member.species, member.r_max)
    features, _ = last_layer_features(member, data)
    whole = 0.0
    readout = member.architecture.readout
    for k in range(2):
        hood = member.neighborhood(data[k])
        rows = member.architecture.rows(hood.moved(hood.vectors.float()))
        whole += hood.beyond_vacuum((readout.linear.weight @ rows)[0]).sum()
    learned = features @ readout.last.weight[0].double().numpy()
    total = sum(member(data[k]).energies.sum() - member.E0[data[k].species].sum() for k in range(2))
    repulsion = sum(member.repulsion(member.neighborhood(data[k])).sum() for k in range(2))
    # 1e-4: float32 sums over the atoms of two frames
    assert float(total - repulsion) == pytest.approx(float(member.energy_scale) * (learned.sum() + float(whole)), rel=1e-4)
