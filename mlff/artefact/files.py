"""The files that every artefact has, read and brought to the newest schema."""

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from mlff.artefact.locate import locate_model
from mlff.artefact.migrations import SCHEMA, Card, Tensors, migrated

CARD = "card.json"
TENSORS = {"weights": "weights.safetensors", "golden": "golden.safetensors"}


def read_files(path: str | os.PathLike) -> tuple[Path, Card, Tensors]:
    """The folder, the card, and the tensors "weights" and "golden" by their names.

    Args:
        path: the folder, or "bundled:li3ps4" for the model that ships with the package.
    Raises:
        FileNotFoundError: there is no artefact at the path.
        ValueError: another version wrote it, or a file of it is damaged.
    """
    path = locate_model(path)
    expected = [TENSORS["weights"], CARD, TENSORS["golden"]]
    missing = [name for name in expected if not (path / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{path} holds no {', '.join(missing)}, expected a model artefact with {', '.join(expected)}; give its folder"
        )
    card = _card(path)
    return path, *migrated(card, {kind: read_tensors(path / name) for kind, name in TENSORS.items()})


def read_tensors(file: Path) -> dict[str, torch.Tensor]:
    """The tensors of one file; a ValueError where it is damaged."""
    try:
        return load_file(file)
    except SafetensorError as error:
        raise ValueError(f"{file} is no safetensors file ({error}); it is damaged: copy the artefact again") from error


def _card(path: Path) -> Card:
    try:
        card = json.loads((path / CARD).read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{path / CARD} is not JSON ({error}); the file is damaged: copy the artefact again") from error
    if card.get("schema") not in range(1, SCHEMA + 1):
        raise ValueError(
            f"{path} has artefact schema {card.get('schema')!r}, but this version of mlff reads 1 to {SCHEMA}; "
            f"it was written by mlff {card.get('version', '?')}: install that version, or export the model again"
        )
    if card.get("dtype") not in ("float32", "float64") or not isinstance(card.get("model"), dict):
        raise ValueError(f"{path / CARD} names no model or no dtype of float32 or float64; the card is damaged: copy the artefact again")
    return card
