"""What users share: a folder of weights (safetensors), a card (JSON) and golden frames; never a pickle."""

from mlff.artefact.folder import Artefact, load, save

__all__ = ["Artefact", "load", "save"]
