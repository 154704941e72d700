"""The model card for a reader: what the model is and what it was trained on, without what only a program compares."""

import re
from collections.abc import Mapping

HIDDEN = ("schema", "units", "metrics", "hash", "train_frames")  # the report has the errors itself; hashes are for programs
NAMES = {
    "n_parameters": "weights",
    "r_max": "r_max, Å",
    "n_train": "training frames",
    "temperatures_K": "temperatures, K",
    "dft_settings": "DFT settings",
    "energy_kind": "energy",
    "energies_identifiable": "energies of single atoms identifiable",
}
FIRST = ("name", "version", "architecture", "n_parameters", "species", "r_max", "dtype")
HASH = re.compile("[0-9a-f]{12,64}")


def readable_card(card: Mapping) -> dict:
    """An artefact's card as a nested mapping for `outline`, names with their units; entries it does not know are kept as they are.

    The model's own entries come first, then its options and its training data. Hashes are counted, or left out where the number
    of what they stand for is there already.
    """
    rest = {name: value for name, value in card.items() if name not in HIDDEN}
    model, data = (dict(rest.pop(part)) if isinstance(rest.get(part), Mapping) else {} for part in ("model", "data"))
    options = dict(model.pop("options", {}))
    if "r_max" in options:  # one of the options, and what every reader asks for
        model["r_max"] = options.pop("r_max")
    model |= rest
    ordered = {name: model[name] for name in FIRST if name in model} | model
    data = _named({name: value for name, value in data.items() if name not in HIDDEN})
    parts = {"model options": options, "training data": data}  # options by the names under which they are set
    return _named(ordered) | {title: part for title, part in parts.items() if part}


def _named(entries: Mapping) -> dict:
    return {NAMES.get(name, name.replace("_", " ") if name.islower() else name): _counted(value) for name, value in entries.items()}


def _counted(value: object) -> object:
    """How many, in place of a list of hashes."""
    if isinstance(value, (list, tuple)) and value and all(isinstance(v, str) and HASH.fullmatch(v) for v in value):
        return len(value)
    return value
