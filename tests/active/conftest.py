"""A small committee of a real crystal, and what labels it."""

from pathlib import Path

import pytest

from tests.active.alloy import OVERRIDES, frames, labelled_file


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    """The artefact of a committee of two that knows rattled Cu3Au."""
    from mlff.run.active.training import Training

    folder = tmp_path_factory.mktemp("alloy")
    Training(OVERRIDES, [], [], seed=0)(labelled_file(folder / "data.extxyz", frames(40)), folder / "000" / "training", None)
    return folder / "000" / "training" / "model"
