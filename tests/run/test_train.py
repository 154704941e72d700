import json
import os
import re
import signal
import subprocess
import sys
import time
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mlff.artefact import load
from mlff.data import read_frames, write_store
from mlff.run.train import train
from mlff.train.history import read_history
from mlff.train.module import ForceField
from tests.run.conftest import labelled_frames, train_config, write_frames

ROOT = Path(__file__).parents[2]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "weights.safetensors")


def same(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_a_run_leaves_everything(finished_run):
    for name in (
        "model/weights.safetensors",
        "model/card.json",
        "model/golden.safetensors",
        "metrics.json",
        "history.csv",
        "report.html",
        "config.yaml",
    ):
        assert (finished_run / name).stat().st_size > 0, name
    metrics = json.loads((finished_run / "metrics.json").read_text())
    assert set(metrics) == {"train", "val", "test"}
    assert set(metrics["test"]["per_element"]) == {"Li", "P", "S", "Ge"}
    assert set(metrics["test"]["per_temperature"]) <= {"300", "600"}
    card = load(finished_run / "model").card
    assert card["species"] == ["Li", "P", "S", "Ge"]
    assert card["metrics"]["test"] == metrics["test"]["overall"]
    assert card["data"]["n_train"] == 12


def test_it_learns(finished_run):
    """Four epochs are few, but the error must be well below that of saying zero (100 %)."""
    metrics = json.loads((finished_run / "metrics.json").read_text())
    assert metrics["train"]["overall"]["force_relative"] < 80


def test_the_same_seed_gives_the_same_weights_and_another_one_others(finished_run, data_file, tmp_path):
    train(train_config(tmp_path / "again", data_file))
    assert same(weights(tmp_path / "again"), weights(finished_run))
    train(train_config(tmp_path / "other", data_file, "seed=1"))
    assert not same(weights(tmp_path / "other"), weights(finished_run))


def test_a_run_that_stopped_goes_on_bit_for_bit(finished_run, data_file, tmp_path, monkeypatch):
    """Optimiser, moving average, order of frames, schedule and stage: all as in the unbroken run."""
    folder, step = tmp_path / "small", ForceField.training_step
    calls = 0

    def fails_later(self, *args):
        nonlocal calls
        calls += 1
        if calls == 8:  # in the third epoch, of three batches (12 frames, 4 at a time), after one of them
            raise RuntimeError("pulled plug")
        return step(self, *args)

    monkeypatch.setattr(ForceField, "training_step", fails_later)
    config = train_config(folder, data_file, "callbacks.checkpoint.every_minutes=0")
    with pytest.raises(RuntimeError, match="pulled plug"):
        train(config)
    assert (folder / "checkpoints" / "last.ckpt").exists()
    assert not (folder / "metrics.json").exists()
    calls = 100
    train(config)
    assert calls < 100 + 12  # it went on, and did not start again
    assert same(weights(folder), weights(finished_run))


@pytest.mark.slow
def test_kill_9_loses_at_most_what_came_after_the_last_checkpoint(finished_run, data_file, tmp_path):
    folder = tmp_path / "small"
    config = train_config(folder, data_file, "callbacks.checkpoint.every_minutes=0")
    script = (
        "import sys, yaml\nfrom omegaconf import OmegaConf\nfrom mlff.run.train import train\ntrain(OmegaConf.create(sys.stdin.read()))\n"
    )
    from omegaconf import OmegaConf

    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, env=environment, text=True, stdout=subprocess.DEVNULL)
    process.stdin.write(OmegaConf.to_yaml(config))
    process.stdin.close()
    checkpoint = folder / "checkpoints" / "last.ckpt"
    deadline = time.monotonic() + 120
    while not checkpoint.exists():
        assert process.poll() is None, "the run ended before its first checkpoint"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    train(config)
    assert same(weights(folder), weights(finished_run))


def test_a_finished_run_is_neither_repeated_nor_lost(data_file, tmp_path, monkeypatch, capsys):
    """The same command answers with what there is; other settings are refused; on request it is trained again."""
    folder = tmp_path / "small"
    config = train_config(folder, data_file, "trainer.max_epochs=1")
    score = train(config)
    assert re.search(
        r"^epoch 1, 100 %, stage 2: loss [\d.]+, val F [\d.]+ meV/Å, E [\d.]+ meV/atom, 0:00:00 left$", capsys.readouterr().out, re.M
    )
    steps, step = 0, ForceField.training_step

    def counted(self, *args):
        nonlocal steps
        steps += 1
        return step(self, *args)

    monkeypatch.setattr(ForceField, "training_step", counted)
    before = weights(folder)
    capsys.readouterr()
    assert train(config) == score
    assert steps == 0
    shown = capsys.readouterr().out
    assert "small: test split" in shown
    assert f"report: {folder / 'report.html'}" in shown
    with pytest.raises(
        ValueError, match=r"holds a finished run with other settings \(seed 0 → 1; trainer\.max_epochs 1 → 2\); choose another"
    ):
        train(train_config(folder, data_file, "trainer.max_epochs=2", "seed=1"))
    assert same(weights(folder), before)
    train(train_config(folder, data_file, "trainer.max_epochs=1", "trainer.resume=never", "seed=1"))
    assert steps == 3
    assert not same(weights(folder), before)


def test_an_unfinished_run_with_other_settings_is_not_lost(data_file, tmp_path, monkeypatch):
    def fails(*args, **options):
        raise RuntimeError("pulled plug")

    folder = tmp_path / "small"
    config = train_config(folder, data_file, "callbacks.checkpoint.every_minutes=0")
    monkeypatch.setattr("mlff.run.train.predict", fails)  # after the training, before its results
    with pytest.raises(RuntimeError, match="pulled plug"):
        train(config)
    monkeypatch.undo()
    with pytest.raises(ValueError, match=r"holds an unfinished run with other settings \(seed 0 → 1\); choose another `name`"):
        train(train_config(folder, data_file, "callbacks.checkpoint.every_minutes=0", "seed=1"))
    assert (folder / "checkpoints" / "last.ckpt").exists()


def test_epochs_see_the_frames_in_different_batches(data_file, tmp_path, monkeypatch):
    seen, step = [], ForceField.training_step

    def watched(self, graph, index):
        seen.append(sorted(graph.frame_id.tolist()))
        return step(self, graph, index)

    monkeypatch.setattr(ForceField, "training_step", watched)
    train(train_config(tmp_path / "small", data_file, "trainer.max_epochs=2"))
    first, second = seen[:3], seen[3:]
    assert sorted(chain(*first)) == sorted(chain(*second)) == list(range(12))
    assert sorted(first) != sorted(second)


def test_not_a_number_names_the_frame(data_file, tmp_path, monkeypatch):
    from mlff.train.loss import Loss

    forward = Loss.forward

    def poisoned(self, prediction, graph, *rest):
        loss, parts = forward(self, prediction, graph, *rest)
        prediction.energy.data[:, 1] = torch.nan
        return loss * torch.nan, parts

    monkeypatch.setattr(Loss, "forward", poisoned)
    with pytest.raises(FloatingPointError, match=r"the loss is not finite at step 0 on .*crystals\.extxyz, frame \d+; expected finite"):
        train(train_config(tmp_path / "small", data_file))


def test_fine_tuning_refits_e0_and_improves(finished_run, tmp_path, capsys):
    """Another code's zero of energy, 5 eV per atom away, must not reach the network."""
    shifted = write_frames(tmp_path / "shifted.extxyz", labelled_frames(24, seed=5, shift=5.0))
    folder = tmp_path / "tuned"
    train(train_config(folder, shifted, f"trainer.init_from={finished_run / 'model'}", "trainer.max_epochs=6", "optimizer.lr=1e-3"))
    text = capsys.readouterr().out
    assert re.search(r"force MAE, meV/Å\s*│\s*[\d.]+\s*│\s*[\d.]+", text)
    tuned, base = load(folder / "model").potential, load(finished_run / "model").potential
    np.testing.assert_allclose((tuned.E0 - base.E0).numpy(), 5.0, atol=1.0)
    before = json.loads((finished_run / "metrics.json").read_text())["test"]["overall"]["force_mae"]
    after = json.loads((folder / "metrics.json").read_text())["test"]["overall"]["force_mae"]
    assert after < before


def test_fine_tuning_remembers_and_warns(finished_run, data_file, tmp_path, caplog):
    """On the start's own frames: all were seen, the new card knows of both sets, and spoiling the forces is said."""
    folder = tmp_path / "tuned"
    spoil = ("trainer.max_epochs=1", "optimizer.lr=0.3", "seed=3")
    train(train_config(folder, data_file, f"trainer.init_from={finished_run / 'model'}", *spoil))
    start, tuned = load(finished_run / "model"), load(folder / "model")
    assert set(start.card["data"]["train_frames"]) < set(tuned.card["data"]["train_frames"])
    held_out = 24 - 12
    seen = int(re.search(rf"trained on (\d+) of the {held_out} validation and test frames", caplog.text)[1])
    assert 0 < seen <= held_out
    assert "Fine-tuning made the validation forces worse" in caplog.text
    assert "Fine-tuning made the validation forces worse" in (folder / "report.html").read_text()


def test_fine_tuning_on_an_unknown_species_is_refused(finished_run, tmp_path):
    frames = labelled_frames(8)
    import dataclasses

    odd = [dataclasses.replace(f, numbers=np.where(f.numbers == 3, 11, f.numbers)) for f in frames]
    data = write_frames(tmp_path / "na.extxyz", odd)
    with pytest.raises(ValueError, match="holds Na, but the model was trained on Li, P, S, Ge"):
        train(train_config(tmp_path / "tuned", data, f"trainer.init_from={finished_run / 'model'}"))


def test_the_linear_model_is_fitted_in_closed_form(data_file, tmp_path):
    score = train(
        train_config(
            tmp_path / "linear",
            data_file,
            "model=linear",
            "trainer=closed_form",
            "model.options.n_radial=[4, 3, 2]",
            "trainer.warm_start.n_directions=60",
            "trainer.warm_start.ridge=1e-4",
        )
    )
    metrics = json.loads((tmp_path / "linear" / "metrics.json").read_text())
    assert metrics["train"]["overall"]["force_relative"] < 60
    assert score == metrics["val"]["overall"]["force_mae"]


def test_a_frame_store_trains_the_same_model(finished_run, data_file, tmp_path):
    write_store(tmp_path / "store", read_frames(data_file))
    train(train_config(tmp_path / "small", tmp_path / "store"))
    assert same(weights(tmp_path / "small"), weights(finished_run))


def test_missing_stress_and_energies_are_no_obstacle(tmp_path):
    import dataclasses

    frames = [dataclasses.replace(f, stress=None, energy=f.energy if k % 2 else None) for k, f in enumerate(labelled_frames(16))]
    folder = tmp_path / "small"
    train(train_config(folder, write_frames(tmp_path / "few.extxyz", frames), "trainer.max_epochs=1"))
    row = json.loads((folder / "metrics.json").read_text())["train"]["overall"]
    assert row["n_stress"] == 0
    assert row["stress_mae"] is None
    assert row["n_energy"] == 4
    assert "Li" in (folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainer.resume=always", "trainer.resume is 'always', expected 'auto' or 'never'"),
        ("model.options.size=XXS", "size is 'XXS', expected one of"),
        ("data.path=bundled:nothing", "the package bundles no 'nothing'"),
        ("data.path=missing.extxyz", "missing.extxyz"),
        ("loss.force_weights={Cl: 2.0}", r"force_weights names \['Cl'\]"),
        ("data.only.test_atoms=400", "no test frame has 400 atoms; the frames have"),
        ("trainer.init_from=nowhere", "nowhere holds no weights.safetensors"),
    ],
)
def test_bad_settings_are_refused(data_file, tmp_path, override, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        train(train_config(tmp_path / "bad", data_file, override))
    assert not (tmp_path / "bad" / "model").exists()


@pytest.mark.slow
def test_two_processes_share_a_training(data_file, tmp_path):
    """Distributed data-parallel on two CPU processes: each sees its share, the loss falls, and one model is left."""
    folder = tmp_path / "ddp"
    overrides = [
        "data=files",
        f"data.path={data_file}",
        "data.split.fractions=[0.5, 0.25, 0.25]",
        "name=ddp",
        "model.options.size=XS",
        "r_max=4.0",
        "trainer.max_epochs=3",
        "trainer.validations=3",
        "trainer.accelerator=cpu",
        "trainer.devices=2",
        "trainer.warm_start=null",  # which would fit these few frames before the first step
        f"hydra.run.dir={folder}",
    ]
    done = subprocess.run(
        [sys.executable, "train.py", *overrides], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (folder / "model" / "card.json").exists()
    assert json.loads((folder / "metrics.json").read_text())["train"]["n_frames"] == 12
    # of the validation set, over both processes: a loss is one process's own share of an epoch
    errors = [float(row["val_force_mae"]) for row in read_history(folder / "history.csv") if row["val_force_mae"]]
    assert errors[-1] < errors[0]
