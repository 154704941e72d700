"""Golden frames: structures and float64 answers that travel with a model, so that any engine can be checked."""

import copy
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from ase import Atoms
from torch import Tensor

from mlff.artefact.files import read_files
from mlff.data.dataset import graph_of
from mlff.data.frame import Frame
from mlff.engine import Committee
from mlff.model.potential import Potential


@dataclass(frozen=True)
class Golden:
    """A structure and what the model says of it in float64.

    energy: eV. energies: (n_atoms,), eV. forces: (n_atoms, 3), eV/Å. stress: (3, 3), eV/Å³, tension positive; None without a volume.
    forces_std: of a committee √⟨‖F − ⟨F⟩‖²⟩ over its members, (n_atoms,), eV/Å; None of one potential.
    """

    atoms: Atoms
    energy: float
    energies: np.ndarray
    forces: np.ndarray
    stress: np.ndarray | None
    forces_std: np.ndarray | None


def read_golden(path: str | os.PathLike) -> list[Golden]:
    """The golden frames of an artefact.

    Args:
        path: its folder, or "bundled:li3ps4".
    Raises:
        FileNotFoundError, ValueError: as `mlff.artefact.load`.
    """
    _, card, tensors = read_files(path)
    symbols, golden = np.array(card["species"]), {name: tensor.numpy() for name, tensor in tensors["golden"].items()}
    return [_golden(symbols, golden, number) for number in range(int(golden["n_frames"].item()))]


def golden_tensors(potential: Potential | Committee, frames: Sequence[Frame]) -> dict[str, Tensor]:
    """Flat tensors "<frame>.<field>": the structure, and the float64 prediction."""
    exact = copy.deepcopy(potential).double().eval()
    tensors = {"n_frames": torch.tensor([len(frames)])}
    for number, frame in enumerate(frames):
        graph = graph_of(frame, potential.species, potential.r_max)
        prediction = exact(graph)
        fields = {
            "species": graph.species,
            "positions": graph.positions,
            "cell": graph.cell,
            "pbc": torch.from_numpy(frame.pbc),
            "energy": prediction.energy,
            "energies": prediction.energies,
            "forces": prediction.forces,
            "stress": prediction.stress,
        }
        if isinstance(potential, Committee):
            fields["forces_std"] = prediction.forces_std
        tensors |= {f"{number}.{name}": value.detach().cpu().contiguous() for name, value in fields.items()}
    return tensors


def _golden(symbols: np.ndarray, golden: dict[str, np.ndarray], number: int) -> Golden:
    field = {name.removeprefix(f"{number}."): value for name, value in golden.items() if name.startswith(f"{number}.")}
    stress = field["stress"][0]
    return Golden(
        atoms=Atoms(symbols[field["species"]], field["positions"], cell=field["cell"][0], pbc=field["pbc"]),
        energy=float(field["energy"][0]),
        energies=field["energies"],
        forces=field["forces"],
        stress=None if np.isnan(stress).any() else stress,
        forces_std=field.get("forces_std"),
    )
