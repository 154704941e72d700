"""What every test may ask for: a seeded generator and the shared reference data."""

import os
from pathlib import Path

import numpy as np
import pytest

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # read when torch loads: its threads wait on each other where cores are shared
    os.environ.setdefault(variable, "1")
os.environ.setdefault("MPLBACKEND", "agg")


# they compile models for minutes: begun last, one worker would wait for the other
LONGEST = (
    "tests/contracts/test_engines.py",
    "tests/export/lammps/test_staged.py",
    "tests/active/test_killed.py",
    "tests/active/test_parsl.py",
    "tests/active/test_campaign.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, the others as they were."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(2024)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of reference data, MLFF_DATA: lgps_pbe/, lips_520K/ and structures/."""
    folder = os.environ.get("MLFF_DATA")
    if folder is None:
        pytest.skip("MLFF_DATA is not set; it names the folder of reference data (lgps_pbe/, lips_520K/, structures/)")
    if not Path(folder).is_dir():
        pytest.fail(f"MLFF_DATA is {folder!r}, which is no folder; correct it, or unset it to skip the tests that read it")
    return Path(folder)


@pytest.fixture(scope="session")
def compiled_cache(tmp_path_factory) -> Path:
    """An MLFF_CACHE of one test session, so that a model is compiled ahead of time once in it, also by several workers of pytest-xdist."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "compiled_cache"


@pytest.fixture(params=["kernels", "tensors"])
def form(request, monkeypatch) -> None:
    """Compiled kernels, or tensor operations alone."""
    if request.param == "tensors":
        monkeypatch.setenv("MLFF_NATIVE", "0")
        return
    from mlff.nn.native import library  # here, because it imports torch, which reads the variables above

    if library() is None:
        pytest.skip("no C++ compiler")
