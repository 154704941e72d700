"""The node network of a stack between two visits to the edges, as functions of densities alone."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mlff.engine.derivatives import jvp
from mlff.model.invariant_model import InvariantModel
from mlff.model.lean2 import Lean2
from mlff.nn.densities import to_bins
from mlff.nn.readout import Standardize

Shells = Sequence[Tensor]
Dual = tuple[Tensor, Tensor]  # a value and its rate


def near_and_far(model: InvariantModel, sites_per_species: Sequence[int]) -> tuple[Callable, Callable | None]:
    """For `lean`, A → E and None. For `lean2`, A → (rows, h) and (rows, A, A2) → E.

    Each density is one argument per l, with a leading member dimension. To be differentiated with respect to these alone.
    """
    sites = tuple(sites_per_species)

    def local(a: Shells) -> Tensor:
        return model.standardize(model.block(model.sources(a), sites, frozen=True))

    if not isinstance(model, Lean2):
        return lambda *a: model.readout(local(a), sites), None

    def near(*a: Tensor) -> tuple[Tensor, Tensor]:
        rows = local(a)
        return rows, model.send(rows)

    def far(rows: Tensor, *both: Tensor) -> Tensor:
        half = len(both) // 2
        invariants = model.hop_block(model.hop_sources(both[:half], both[half:]), sites, frozen=True)
        return model.readout(torch.cat([rows, model.hop_standardize(invariants)], dim=-2), sites)

    return near, far


def dual_near_and_far(model: InvariantModel, sites_per_species: Sequence[int]) -> tuple[Callable, Callable | None]:
    """The same of dual numbers, with the graph of the weights.

    For `lean`, (A, Ȧ) → (E, Ė) and None. For `lean2`, (A, Ȧ) → (rows and their rates), (h, ḣ); and rows, (A, Ȧ), (A2, Ȧ2) → (E, Ė).
    """
    sites = tuple(sites_per_species)

    def read(rows: Dual) -> Dual:
        return jvp(lambda x: model.readout(x, sites), rows[:1], rows[1:])

    def local(a: Shells, rates: Shells) -> Dual:
        return _standardized(model.standardize, model.block.dual(model.sources(a), [rates], sites))

    if not isinstance(model, Lean2):
        return lambda a, rates: read(local(a, rates)), None

    def near(a: Shells, rates: Shells) -> tuple[Dual, Dual]:
        rows = local(a, rates)
        return rows, jvp(model.send, rows[:1], rows[1:])

    def far(rows: Dual, a: Shells, rates: Shells, hop: Shells, hop_rates: Shells) -> Dual:
        further = _standardized(model.hop_standardize, model.hop_block.dual(model.hop_sources(a, hop), [rates, hop_rates], sites))
        return read(tuple(torch.cat(pair, dim=-2) for pair in zip(rows, further, strict=True)))

    return near, far


def _standardized(standardize: Standardize, rows: Dual) -> Dual:
    return standardize(rows[0]), rows[1] / standardize.spread


def of_members(model: InvariantModel, densities: list[Tensor]) -> list[Tensor]:
    """The densities that all members share, in bins, as if each had its own: (n_members, n_bins · K_l, 2l+1, n_sites)."""
    n = len(model.scale.rms)
    return [a.expand(n, *a.shape) for a in to_bins(densities, model.bins)]
