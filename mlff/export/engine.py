"""What an engine promises: it writes what it needs of a model, and answers as the model does."""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from ase.io import write

from mlff.artefact import read_golden

DTYPES = ("float32", "float64")
MODEL = "model"  # the artefact's folder in what an engine was given
STRUCTURE = "structure.extxyz"  # beside it, what examples run


@dataclass(frozen=True)
class Answer:
    """What an engine says of one structure.

    energy: eV. forces: (n_atoms, 3), eV/Å. stress: (3, 3), eV/Å³, tension positive; None where the cell has no volume.
    """

    energy: float
    forces: np.ndarray
    stress: np.ndarray | None


class Engine(ABC):
    """A program that runs an exported model; one per file of conf/export/engine.

    Args:
        device: where the model runs, "cpu" or "cuda".
        dtype: of the network, "float32" or "float64"; positions and sums are float64 in any case.
    """

    takes_minutes = False  # to write, the first time for a model
    stress_by_differences = False  # of energies, because the engine knows no virial; rounding then costs more digits

    def __init__(self, device: str = "cpu", dtype: str = "float32"):
        check_dtype(dtype)
        self.device, self.dtype = device, dtype

    @abstractmethod
    def missing(self) -> str | None:
        """Why it cannot run here, with the remedy; None where it can."""

    @abstractmethod
    def write(self, artefact: Path, folder: Path) -> None:
        """Put everything that the engine loads into the folder, with an example that runs as it is.

        Args:
            artefact: its folder.
            folder: may exist; files of the same name are replaced.
        """

    @abstractmethod
    def answers(self, folder: Path, frames: Sequence[Atoms]) -> list[Answer]:
        """Of each structure, by the engine itself.

        Args:
            folder: of `write`.
            frames: species of the model in any order; any cell, wrapped or not, periodic or not.
        Raises:
            ValueError: a species that the model does not know.
        """

    @abstractmethod
    def nve(self, folder: Path, atoms: Atoms, timestep: float, n_steps: int) -> np.ndarray:
        """Total energy, kinetic and potential, at each step of the engine's own velocity Verlet, (n_steps + 1,), eV.

        Args:
            atoms: with velocities and masses.
            timestep: fs.
        """


def check_dtype(dtype: str) -> None:
    """Refuse what no network runs in.

    Raises:
        ValueError: it is none of `DTYPES`.
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype is {dtype!r}, expected 'float32' or 'float64'")


class OfArtefact(Engine):
    """An engine that loads the artefact as it is, from <folder>/model.

    example: the folder of its example.
    """

    example: Path

    def write(self, artefact: Path, folder: Path) -> None:
        shutil.copytree(artefact, folder / MODEL, dirs_exist_ok=True)
        copy_example(self.example, folder)


def export(engine: Engine, artefact: Path, folder: Path) -> None:
    """Everything that the engine loads, and the first golden frame as structure.extxyz, so that its example runs.

    Args:
        artefact: its folder; without golden frames there is no structure either.
        folder: may exist; files of the same name are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for golden in read_golden(artefact)[:1]:
        write(folder / STRUCTURE, golden.atoms)  # first: an engine may write its own form of it
    engine.write(artefact, folder)


def no_device(device: str) -> str | None:
    """Why PyTorch cannot run there, with the remedy; None where it can."""
    if device.startswith("cuda") and not torch.cuda.is_available():
        return f"PyTorch finds no GPU for device {device!r}; set the engine's device to cpu"
    return None


def copy_example(example: Path, folder: Path) -> None:
    """The files of an example, beside the model."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(example.iterdir()):
        if file.is_file():
            shutil.copy(file, folder / file.name)
