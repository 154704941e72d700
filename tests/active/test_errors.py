"""Errors of forces against hand counting."""

import numpy as np
import pytest
from ase import Atoms

from mlff.active.errors import force_errors


def test_errors_are_per_component_and_by_element():
    frames = [Atoms("LiS", positions=np.zeros((2, 3))), Atoms("Li", positions=np.zeros((1, 3)))]
    for frame in frames:
        frame.arrays["REF_forces"] = np.ones((len(frame), 3))
    predicted = [np.array([[1.0, 1, 1], [1, 1, 4]]), np.array([[1.0, 3, 5]])]
    found = force_errors(frames, predicted)
    assert list(found) == ["Li", "S", "all"]
    assert found["Li"] == {"mae": pytest.approx(6 / 6), "rmse": pytest.approx(np.sqrt(20 / 6)), "n": 6}
    assert found["S"] == {"mae": pytest.approx(1.0), "rmse": pytest.approx(np.sqrt(3)), "n": 3}
    assert found["all"] == {"mae": pytest.approx(9 / 9), "rmse": pytest.approx(np.sqrt(29 / 9)), "n": 9}


def test_of_no_frames_there_are_none():
    assert force_errors([], []) == {}
