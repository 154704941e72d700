"""Neighbour densities: the edge features of an atom, summed over its neighbours."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlff.nn.edge_stage import EdgeStage, outer
from mlff.nn.tracing import for_compiler

Factors = list[tuple[Tensor, Tensor]]  # of `EdgeStage.factors`


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

    def factors(self) -> list[Tensor]:
        """For each l what multiplies a density, (…, n_channels · K_l)."""
        return [1 / part.flatten(-2) for part in self.rms.split([k for k, _ in self.degeneracy], dim=-1)]


def species_densities(factors: Factors, slots_per_species: Sequence[int]) -> list[Tensor]:
    """A[(s,k), m, i] = Σ_{j of species s} b_k Y_m: a sum over each block of slots.

    Args:
        factors: for each l, b (K_l, n_slots, n_sites) and Y (2l+1, n_slots, n_sites).
    Returns:
        for each l (n_species · K_l, 2l+1, n_sites).
    """
    slots = list(slots_per_species)
    return [torch.cat([block.sum(2) for block in outer(b, y).split(slots, dim=2)]) for b, y in factors]


def to_bins(densities: list[Tensor], bins: Tensor | None) -> list[Tensor]:
    """Densities of each species → of each bin, (…, n_bins · K_l, 2l+1, n_sites).

    Args:
        bins: (n_bins, n_species), a fixed embedding that replaces one bin per species; None keeps one each.
    """
    if bins is None:
        return densities
    return [torch.einsum("bs,...skmn->...bkmn", bins, a.unflatten(-3, (bins.shape[1], -1))).flatten(-4, -3) for a in densities]


def weighted_densities(factors: Factors, weights: Tensor) -> list[Tensor]:
    """A2[(c,k), m, i] = Σ_j h[c, j] b_k Y_m, for each l (…, n_channels · K_l, 2l+1, n_sites).

    Args:
        weights: (…, n_channels, n_slots, n_sites), h of the neighbour in each slot.
    """
    if for_compiler():
        return [_fused(b, y, weights) for b, y in factors]
    features = torch.cat([outer(b, y).flatten(0, 1) for b, y in factors])
    n_channels = weights.shape[:-2]
    summed = _BatchedProduct.apply(weights.flatten(0, -3).permute(2, 0, 1), features.permute(2, 1, 0))
    summed = summed.permute(1, 2, 0).unflatten(0, n_channels)
    blocks = summed.split([len(b) * len(y) for b, y in factors], dim=-2)
    return [block.unflatten(-2, (len(b), len(y))).flatten(-4, -3) for block, (b, y) in zip(blocks, factors, strict=True)]


def _fused(b: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    """Sums of products that a compiler keeps in registers, h·b formed once for all m."""
    rows = []
    for b_k in b.unbind(0):
        product = weights * b_k
        rows.append(torch.stack([(product * y_m).sum(-2) for y_m in y.unbind(0)], dim=-2))
    return torch.stack(rows, dim=-3).flatten(-4, -3)


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


def species_bins(n_species: int, n_bins: int) -> Tensor | None:
    """A fixed embedding of many species into n_bins directions that are as different as can be; None if few."""
    if n_species <= n_bins:
        return None
    generator = torch.Generator().manual_seed(0)
    directions = torch.linalg.qr(torch.randn(n_species, n_bins, generator=generator, dtype=torch.float64))[0]
    return directions.T.to(torch.get_default_dtype()) * (n_species / n_bins) ** 0.5
