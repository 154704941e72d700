"""A potential from its description, and the description of a potential: plain JSON both ways."""

import inspect
from collections.abc import Mapping

from mlff.model import Lean, Lean2, LennardJones, Linear, Potential
from mlff.model.architecture import Architecture

ARCHITECTURES: dict[str, type[Architecture]] = {"lean": Lean, "lean2": Lean2, "linear": Linear, "pair": LennardJones}


def build_potential(description: Mapping[str, object]) -> Potential:
    """An untrained potential.

    Args:
        description: {"architecture": name, "species": [...], "options": {...}, "repulsion": bool}.
    Raises:
        ValueError: an unknown architecture or option.
    """
    name = description["architecture"]
    if name not in ARCHITECTURES:
        raise ValueError(f"architecture is {name!r}, expected one of {sorted(ARCHITECTURES)}; correct `model.architecture`")
    kind = ARCHITECTURES[name]
    options = dict(description["options"])
    known = [p for p in inspect.signature(kind).parameters if p != "species"]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(f"{name} has no option {', '.join(unknown)}; it has {', '.join(known)}: correct the spelling in `model`")
    return Potential(kind(tuple(description["species"]), **options), repulsion=bool(description["repulsion"]))
