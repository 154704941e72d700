"""The node network of a stack between two visits to the edges, as functions of densities alone."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mlff.model.invariant_model import InvariantModel
from mlff.model.lean2 import Lean2
from mlff.nn.densities import to_bins


def near_and_far(model: InvariantModel, sites_per_species: Sequence[int]) -> tuple[Callable, Callable | None]:
    """For `lean`, A → E and None. For `lean2`, A → (rows, h) and (rows, A, A2) → E.

    Each density is one argument per l, with a leading member dimension.
    """
    sites = tuple(sites_per_species)
    if not isinstance(model, Lean2):
        return lambda *a: model.readout(model.local(list(a), sites), sites), None

    def near(*a: Tensor) -> tuple[Tensor, Tensor]:
        rows = model.local(list(a), sites)
        return rows, model.send(rows)

    def far(rows: Tensor, *both: Tensor) -> Tensor:
        half = len(both) // 2
        return model.readout(torch.cat([rows, model.far(list(both[:half]), list(both[half:]), sites)], dim=-2), sites)

    return near, far


def of_members(model: InvariantModel, densities: list[Tensor]) -> list[Tensor]:
    """The densities that all members share, in bins, as if each had its own: (n_members, n_bins · K_l, 2l+1, n_sites)."""
    n = len(model.scale.rms)
    return [a.expand(n, *a.shape) for a in to_bins(densities, model.bins)]
