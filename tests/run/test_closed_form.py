import dataclasses

import pytest
import torch

from mlff.data.dataset import FrameDataset
from mlff.run.closed_form import final_solve
from mlff.run.predict import predict
from mlff.run.reference import described, shift_reference_energies
from tests.contracts.potentials import build
from tests.run.conftest import labelled_frames, train_config

UNITS = {"force_unit": 1.0, "stress_unit": 0.01, "energy_unit": 0.1}


def sets(potential, shift: float = 0.0) -> dict[str, FrameDataset]:
    frames = labelled_frames(12, shift=shift)
    parts = {"train": frames[:8], "val": frames[8:]}
    return {name: FrameDataset(part, potential.species, potential.r_max) for name, part in parts.items()}


def state(potential) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in potential.state_dict().items()}


def energy_errors(potential, data: FrameDataset) -> list[float]:
    return [p.energy - frame.energy for p, frame in zip(predict(potential, data), data.frames, strict=True)]


def test_another_zero_of_energy_is_taken_up():
    potential = build("pair", sigma=1.4)  # whose labels they are
    data = sets(potential, shift=0.3)["train"]
    shift = shift_reference_energies(potential, data)
    assert energy_errors(potential, data) == pytest.approx([0.0] * 8, abs=1e-6)  # eV: the fit's own tiny ridge
    assert sum(shift.values()) == pytest.approx(4 * 0.3, abs=1e-6)
    assert described({"Li": 0.3}) == "shifted by Li +0.3000 eV"


def test_without_energies_nothing_is_shifted():
    potential = build("pair", sigma=1.4)
    before = state(potential)
    data = sets(potential)["train"]
    blind = FrameDataset([dataclasses.replace(f, energy=None) for f in data.frames], potential.species, potential.r_max)
    assert shift_reference_energies(potential, blind) == {}
    assert all(torch.equal(before[k], v) for k, v in potential.state_dict().items())


@pytest.mark.parametrize("solve", [None, "{n_frames: 8, n_directions: 8, ridge: 1e-6}"])
def test_the_end_of_a_training_is_settled(solve, tmp_path, data_file, caplog):
    """A constant is always settled, the last layer on request; the labels are those of another potential, so that there is much to gain."""
    potential = build("linear")
    data = sets(potential, shift=0.3)
    cfg = train_config(tmp_path, data_file, "model=linear", f"trainer.final_solve={solve or 'null'}")
    weights = potential.architecture.linear_weights().clone()
    worst = max(map(abs, energy_errors(potential, data["val"])))
    caplog.set_level("INFO")
    final_solve(potential, data, UNITS, cfg)
    assert max(map(abs, energy_errors(potential, data["val"]))) < 0.3 * worst
    assert torch.equal(weights, potential.architecture.linear_weights()) == (solve is None)
    assert caplog.text.count(", kept") == (1 if solve is None else 2)


def test_what_does_not_help_is_not_kept(tmp_path, data_file, caplog):
    potential = build("pair", sigma=1.4)
    data = sets(potential)
    data["train"] = sets(potential, shift=0.3)["train"]  # a zero of energy that validation does not share
    before = state(potential)
    caplog.set_level("INFO")
    final_solve(potential, data, UNITS, train_config(tmp_path, data_file))
    assert "not kept" in caplog.text
    assert all(torch.equal(before[k], v) for k, v in potential.state_dict().items())
