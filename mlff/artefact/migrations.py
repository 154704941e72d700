"""Artefacts of every schema since the first, brought to the newest step by step as they are read."""

from collections.abc import Mapping

import torch
from torch import Tensor

Card = dict[str, object]
Tensors = dict[str, dict[str, Tensor]]  # by file, then by name

EDGES = ("edge_index", "edge_shift")


def committees(card: Card, tensors: Tensors) -> tuple[Card, Tensors]:
    """1 → 2: the card counts members; there was one."""
    return card | {"n_members": 1}, tensors


def golden_structures(card: Card, tensors: Tensors) -> tuple[Card, Tensors]:
    """2 → 3: a golden frame is a structure, with its `pbc` and without edges, which any engine finds itself.

    Where a cell of rank 3 was stored it is taken as periodic. The members' spread of an old committee is not known.
    """
    golden = {name: tensor for name, tensor in tensors["golden"].items() if not name.endswith(EDGES)}
    for number in range(int(golden["n_frames"])):
        rank = torch.linalg.matrix_rank(golden[f"{number}.cell"][0])
        golden[f"{number}.pbc"] = (rank == 3).expand(3).clone()
    return card, tensors | {"golden": golden}


STEPS = (committees, golden_structures)
SCHEMA = 1 + len(STEPS)


def migrated(card: Mapping[str, object], tensors: Tensors) -> tuple[Card, Tensors]:
    """Card and tensors as an artefact of this version has them.

    Args:
        card: of a schema from 1 to `SCHEMA`.
        tensors: "weights" and "golden".
    """
    card = dict(card)
    for step in STEPS[card["schema"] - 1 :]:
        card, tensors = step(card, tensors)
    return card | {"schema": SCHEMA}, tensors
