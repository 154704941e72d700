"""Fixtures of the trajectory's tests."""

from collections.abc import Callable

import numpy as np
import pytest

from mlff.trajectory import Series


@pytest.fixture
def thermo() -> Callable[[int, int], Series]:
    """Series of n entries, `between` steps apart."""

    def make(n: int, between: int) -> Series:
        steps = between * np.arange(n)
        return Series(steps, {"temperature": 300 + np.sin(steps / 7.0), "pressure": np.cos(steps / 5.0)})

    return make
