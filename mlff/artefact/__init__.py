"""What users share: a folder of weights (safetensors), a card (JSON) and golden frames; never a pickle."""

from mlff.artefact.folder import Artefact, load, save
from mlff.artefact.golden import Golden, read_golden

__all__ = ["Artefact", "Golden", "load", "read_golden", "save"]
