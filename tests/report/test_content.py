import dataclasses

import numpy as np
import pytest

from mlff.data.frame import Frame
from mlff.report import PredictionSamples
from mlff.train.metrics import FramePrediction


def test_samples_hold_only_what_has_a_reference():
    place = {"positions": np.zeros((2, 3)), "cell": np.eye(3), "pbc": np.ones(3, bool)}
    frames = [
        Frame(numbers=np.array([3, 16]), energy=-4.0, forces=None, stress=None, index=0, **place),
        Frame(numbers=np.array([3, 16]), energy=None, forces=np.ones((2, 3)), stress=np.eye(3), index=1, **place),
    ]
    samples = PredictionSamples.from_frames(frames, [FramePrediction(-5.0, np.zeros((2, 3)), np.zeros((3, 3)))] * 2)
    assert (samples.energy_ref.tolist(), samples.energy_pred.tolist()) == ([-2.0], [-2.5])  # eV/atom
    assert samples.elements.tolist() == ["Li", "S"]
    assert samples.forces_ref.shape == (2, 3)
    assert samples.stress_ref.shape == (1, 3, 3)


def test_arrays_that_do_not_pair_are_refused(content):
    samples = content.samples["test"]
    with pytest.raises(ValueError, match=r"energy: reference .* and prediction .* differ in shape"):
        dataclasses.replace(samples, energy_pred=samples.energy_pred[1:])
    with pytest.raises(ValueError, match="one symbol per atom"):
        dataclasses.replace(samples, elements=samples.elements[1:])


def test_unknown_splits_and_empty_metrics_are_refused(content):
    with pytest.raises(ValueError, match=r"splits \['tset'\]; expected some of"):
        dataclasses.replace(content, metrics={"tset": content.metrics["test"]})
    with pytest.raises(ValueError, match="metrics is empty"):
        dataclasses.replace(content, metrics={})


def test_the_strictest_split_speaks_for_the_model(content):
    assert content.headline == "test"
    assert dataclasses.replace(content, metrics={split: content.metrics[split] for split in ("train", "val")}).headline == "val"
