"""Neighbour densities: the edge features of an atom, summed over its neighbours."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlff.nn.edge_stage import EdgeStage


class DensityScale(nn.Module):
    """Divides a density by its root mean square per (channel, l, k), constants fitted once.

    The root mean square runs over atoms and over m: a constant for each m would break rotation invariance, by
    44 meV/Å, and no finite difference of the energy would show it.
    """

    rms: Tensor

    def __init__(self, n_channels: int, stage: EdgeStage):
        super().__init__()
        self.degeneracy = [(k, 2 * l + 1) for l, k in enumerate(stage.n_radial)]
        self.register_buffer("rms", torch.ones(n_channels, sum(k for k, _ in self.degeneracy)))

    @torch.no_grad()
    def fit(self, densities: list[Tensor]) -> None:
        """densities: for each l (n_channels · K_l, 2l+1, n_sites)."""
        columns = [density.square().mean((1, 2)).sqrt().view(-1, k) for density, (k, _) in zip(densities, self.degeneracy, strict=True)]
        rms = torch.cat(columns, dim=1)
        # a channel that is always empty (a pair of species that never meets) stays as it is
        self.rms.copy_(torch.where(rms > 1e-6, rms, torch.ones_like(rms)))

    def forward(self, densities: list[Tensor]) -> list[Tensor]:
        parts = self.rms.split([k for k, _ in self.degeneracy], dim=1)
        return [density / part.reshape(-1, 1, 1) for density, part in zip(densities, parts, strict=True)]


def species_densities(stage: EdgeStage, features: Tensor, slots_per_species: Sequence[int], bins: Tensor | None) -> list[Tensor]:
    """A[s, (l,k,m), i] = Σ_{j of species s} φ[(l,k,m), j, i]: a sum over each block of slots.

    Args:
        features: (n_features, n_slots, n_sites).
        bins: (n_bins, n_species), a fixed embedding that replaces one bin per species; None keeps one each.
    Returns:
        for each l (n_species or n_bins · K_l, 2l+1, n_sites).
    """
    densities = torch.stack([block.sum(1) for block in features.split(list(slots_per_species), dim=1)], dim=1)
    return _by_l(stage, densities if bins is None else torch.einsum("bs,fsn->fbn", bins, densities))


def weighted_densities(stage: EdgeStage, features: Tensor, weights: Tensor) -> list[Tensor]:
    """A2[c, (l,k,m), i] = Σ_j h[c, j] φ[(l,k,m), j, i], for each l (n_channels · K_l, 2l+1, n_sites).

    Args:
        features: (n_features, n_slots, n_sites).
        weights: (n_channels, n_slots, n_sites), h of the neighbour in each slot.
    """
    return _by_l(stage, _BatchedProduct.apply(weights.permute(2, 0, 1), features.permute(2, 1, 0)).permute(2, 1, 0))


class _BatchedProduct(torch.autograd.Function):
    """torch.bmm whose derivatives, of any order, see contiguous operands: of strided ones it loops atom by atom."""

    @staticmethod
    def forward(ctx, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        return torch.bmm(a.contiguous(), b.contiguous())

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor]:
        a, b = ctx.saved_tensors
        return _BatchedProduct.apply(grad, b.mT), _BatchedProduct.apply(a.mT, grad)


def _by_l(stage: EdgeStage, densities: Tensor) -> list[Tensor]:
    """(n_features, n_channels, n_sites) → for each l (n_channels · K_l, 2l+1, n_sites)."""
    return [shell.permute(2, 0, 1, 3).flatten(0, 1) for shell in stage.split(densities)]


def species_bins(n_species: int, n_bins: int) -> Tensor | None:
    """A fixed embedding of many species into n_bins directions that are as different as can be; None if few."""
    if n_species <= n_bins:
        return None
    generator = torch.Generator().manual_seed(0)
    directions = torch.linalg.qr(torch.randn(n_species, n_bins, generator=generator, dtype=torch.float64))[0]
    return directions.T.to(torch.get_default_dtype()) * (n_species / n_bins) ** 0.5
