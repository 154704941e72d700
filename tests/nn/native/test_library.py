"""What the kernels are offered for."""

import os
import subprocess
import sys

import pytest
import torch

from mlff.cache_folder import cache_folder
from mlff.nn.native import library
from mlff.nn.native.library import library_for


@pytest.mark.skipif(library() is None, reason="no C++ compiler")
def test_serve_floats_on_the_cpu():
    assert library_for(torch.ones(1)) is library()
    assert library_for(torch.ones(1, dtype=torch.float64)) is library()
    assert library_for(torch.ones(1, dtype=torch.bfloat16)) is None
    assert library_for(torch.ones(1, device="meta")) is None


def test_can_be_turned_off(monkeypatch):
    monkeypatch.setenv("MLFF_NATIVE", "0")
    assert library() is None
    assert library_for(torch.ones(1)) is None


@pytest.mark.skipif(library() is None, reason="no C++ compiler")
def test_a_library_that_cannot_be_loaded_is_no_obstacle(tmp_path):
    """As on a disk from which nothing may run."""
    folder = tmp_path / "native"
    for built in (cache_folder() / "native").glob("*/*.so"):
        damaged = folder / built.parent.name / built.name
        damaged.parent.mkdir(parents=True)
        damaged.write_text("no library")
    code = "import logging; logging.basicConfig(); from mlff.nn.native import library; print(library(), library())"
    environment = os.environ | {"MLFF_CACHE": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "None None\n"
    assert done.stderr.count("set MLFF_CACHE to a folder from which programs may run") == 1
