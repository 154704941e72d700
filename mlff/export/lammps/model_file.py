"""The file that `pair_style mlff` reads: tensors, and a card in the header (safetensors)."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from ase.data import atomic_masses, atomic_numbers
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from mlff.model import Lean, Lean2
from mlff.model.potential import Potential

SCHEMA = 1  # as in plugin/model_file.cpp
BACKENDS = ("kernels", "stages")


def check_architecture(potential: Potential, artefact: str | os.PathLike) -> None:
    """Refuse what no backend evaluates.

    Raises:
        ValueError: it is no `lean` or `lean2`.
    """
    if not isinstance(potential.architecture, Lean | Lean2):
        raise ValueError(
            f"{artefact} is a {type(potential.architecture).__name__}, but pair_style mlff runs lean and lean2; "
            "train one of these, or use engine=lammps_external"
        )


def common_card(stacked: Potential, backend: str, dtype: str) -> dict:
    """What is in the card of either backend; masses in amu."""
    return {
        "schema": SCHEMA,
        "backend": backend,
        "species": list(stacked.species),
        "masses": [float(atomic_masses[atomic_numbers[s]]) for s in stacked.species],
        "r_max": stacked.r_max,
        "dtype": dtype,
        "n_members": len(stacked.E0),
    }


def save_model(path: Path, card: dict, tensors: Mapping[str, Tensor]) -> None:
    """Write the file at once, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(save({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, metadata={"mlff": json.dumps(card)}))
    part.replace(path)


def card_of(path: Path) -> dict:
    """The card of such a file.

    Raises:
        FileNotFoundError: it is not there.
    """
    if not path.is_file():
        raise FileNotFoundError(f"found no {path}, expected a model for LAMMPS; write it with scripts/export_model.py engine=lammps")
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["mlff"])
