"""The node network of a stack between two visits to the edges, as functions of densities alone."""

from collections.abc import Callable, Sequence

from torch import Tensor

from mlff.engine.heads import Dual, message, readout
from mlff.model.invariant_model import InvariantModel
from mlff.model.lean2 import Lean2
from mlff.nn.densities import to_bins

Shells = Sequence[Tensor]


def near_and_far(model: InvariantModel, sites_per_species: Sequence[int]) -> tuple[Callable, Callable | None]:
    """For `lean`, A → E and None. For `lean2`, A → (rows, h) and (rows, A, A2) → E.

    Each density is one argument per l, with a leading member dimension. To be differentiated with respect to these alone.
    """
    sites = tuple(sites_per_species)
    read = readout(model, sites)

    def local(a: Shells) -> Tensor:
        return model.block(model.sources(a), sites, frozen=True)

    if not isinstance(model, Lean2):
        return lambda *a: read(local(a)).squeeze(-2), None
    send = message(model, sites)

    def near(*a: Tensor) -> tuple[Tensor, Tensor]:
        rows = local(a)
        return rows, send(rows)

    def far(rows: Tensor, *both: Tensor) -> Tensor:
        half = len(both) // 2
        return read(rows, model.hop_block(model.hop_sources(both[:half], both[half:]), sites, frozen=True)).squeeze(-2)

    return near, far


def dual_near_and_far(model: InvariantModel, sites_per_species: Sequence[int]) -> tuple[Callable, Callable | None]:
    """The same of dual numbers, with the graph of the weights.

    For `lean`, (A, Ȧ) → (E, Ė) and None. For `lean2`, (A, Ȧ) → (rows and their rates), (h, ḣ); and rows, (A, Ȧ), (A2, Ȧ2) → (E, Ė).
    """
    sites = tuple(sites_per_species)

    def read(*rows: Dual) -> Dual:
        energies, rates = readout(model, sites).dual(*rows)
        return energies.squeeze(-2), rates.squeeze(-2)

    def local(a: Shells, rates: Shells) -> Dual:
        return model.block.dual(model.sources(a), [rates], sites)

    if not isinstance(model, Lean2):
        return lambda a, rates: read(local(a, rates)), None

    def near(a: Shells, rates: Shells) -> tuple[Dual, Dual]:
        rows = local(a, rates)
        return rows, message(model, sites).dual(rows)

    def far(rows: Dual, a: Shells, rates: Shells, hop: Shells, hop_rates: Shells) -> Dual:
        return read(rows, model.hop_block.dual(model.hop_sources(a, hop), [rates, hop_rates], sites))

    return near, far


def of_members(model: InvariantModel, densities: list[Tensor]) -> list[Tensor]:
    """The densities that all members share, in bins, as if each had its own: (n_members, n_bins · K_l, 2l+1, n_sites)."""
    n = len(model.scale.rms)
    return [a.expand(n, *a.shape) for a in to_bins(densities, model.bins)]
