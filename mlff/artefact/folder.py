"""Saving and loading an artefact: a folder with weights.safetensors, card.json and golden.safetensors."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from safetensors.torch import save as to_bytes  # its save_file leaves a file that only its owner may read

from mlff.artefact.build import build_potential
from mlff.artefact.files import CARD, TENSORS, read_files, read_tensors
from mlff.artefact.golden import golden_tensors
from mlff.artefact.migrations import SCHEMA
from mlff.data import Frame, geometry_hash
from mlff.engine import Committee, of_member, one_or_committee
from mlff.model.potential import Potential
from mlff.uncertainty import Calibration, ExtrapolationGrade

GRADE = "grade.safetensors"  # where a committee has one


@dataclass(frozen=True)
class Artefact:
    """Trained potentials, one or the members of a committee, their card, and the extrapolation grade where there is one."""

    members: tuple[Potential, ...]
    card: dict
    grade: ExtrapolationGrade | None = None

    @property
    def calibration(self) -> Calibration | None:
        """What the members' spread is worth; None for a single potential."""
        found = self.card.get("uncertainty")
        return None if found is None else Calibration.from_json(found["calibration"])

    @cached_property
    def potential(self) -> Potential | Committee:
        """What predicts: the only member, or the committee of them."""
        return one_or_committee(self.members).eval()

    def trained_on(self, frames: Iterable[Frame]) -> int:
        """How many of these frames it was trained on: structures count, whatever their labels and metadata."""
        known = set(self.card["data"]["train_frames"])
        return sum(geometry_hash(frame) in known for frame in frames)


def save(
    path: str | os.PathLike,
    potential: Potential | Committee,
    card: Mapping[str, object],
    golden: Sequence[Frame],
    grade: ExtrapolationGrade | None = None,
) -> Path:
    """Write an artefact; a folder of the same name is replaced only once the new one is whole.

    Args:
        potential: trained; weights of a committee have a leading member dimension.
        card: JSON-able; "model" must describe the potential as `build_potential` reads it.
        grade: the extrapolation grade, kept in a file of its own.
        golden: frames whose float64 predictions are stored, so that every engine can be checked against them.
    """
    path = Path(path)
    if path.exists() and not (path / CARD).exists():
        raise ValueError(f"{path} exists and is no model artefact; choose another folder or remove it")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        fresh.chmod(0o755)
        stored = potential.stacked if isinstance(potential, Committee) else potential
        n_members = len(potential) if isinstance(potential, Committee) else 1
        weights = {name: tensor.detach().cpu().contiguous() for name, tensor in stored.state_dict().items()}
        (fresh / TENSORS["weights"]).write_bytes(to_bytes(weights))
        (fresh / TENSORS["golden"]).write_bytes(to_bytes(golden_tensors(potential, golden)))
        if grade is not None:
            (fresh / GRADE).write_bytes(to_bytes({name: torch.from_numpy(array.copy()) for name, array in grade.to_tensors().items()}))
        own = {"schema": SCHEMA, "n_members": n_members, "species": list(potential.species), "r_max": potential.r_max, "units": _UNITS}
        full = {"schema": SCHEMA, **card, **own}  # the schema first
        (fresh / CARD).write_text(json.dumps(full, indent=2) + "\n")
        old = fresh.with_name(f"{fresh.name}-old")
        if path.exists():
            path.rename(old)
        fresh.rename(path)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)
    return path


def load(path: str | os.PathLike) -> Artefact:
    """Read an artefact of this schema or an older one.

    Args:
        path: its folder, or "bundled:li3ps4" for the one that ships with the package.
    Raises:
        FileNotFoundError: there is none at the path.
        ValueError: it was written by another version, is incomplete or does not fit its card.
    """
    path, card, tensors = read_files(path)
    try:
        members = [build_potential(card["model"]) for _ in range(card["n_members"])]
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path / CARD} describes a model that this version of mlff does not have: {error}") from error
    try:
        for k, member in enumerate(members):
            member.to(getattr(torch, card["dtype"]))
            member.load_state_dict(tensors["weights"] if len(members) == 1 else of_member(tensors["weights"], k))
    except RuntimeError as error:
        raise ValueError(f"the weights in {path} do not fit its card: {error}; copy the artefact again") from error
    grade = path / GRADE
    active = ExtrapolationGrade.from_tensors({k: v.numpy() for k, v in read_tensors(grade).items()}) if grade.is_file() else None
    return Artefact(tuple(member.eval() for member in members), card, active)


_UNITS = {"length": "Å", "energy": "eV", "force": "eV/Å", "stress": "eV/Å³, tension positive"}
