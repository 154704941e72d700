"""Both forms of what the engine computes."""

import pytest

from mlff.nn.native import library


@pytest.fixture(params=["kernels", "tensors"])
def form(request, monkeypatch) -> None:
    """Compiled kernels, or tensor operations alone."""
    if request.param == "tensors":
        monkeypatch.setenv("MLFF_NATIVE", "0")
    elif library() is None:
        pytest.skip("no C++ compiler")
