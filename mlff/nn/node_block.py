"""From densities to equivariant features of each atom, and their invariants."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlff.nn.invariants import invariants, n_invariants
from mlff.nn.linear_map import linear_map
from mlff.nn.product import SelfProduct
from mlff.nn.species_linear import SpeciesLinear

# for each l a density (…, n_in_l, 2l+1, n_sites) and what multiplies it (…, n_in_l), of `DensityScale.factors`
Source = tuple[Sequence[Tensor], Sequence[Tensor]]


class ProductLayer(nn.Module):
    """B_l ← U_l B_l + V_l (σ(g) ⊙ P_l), P the self-product of n_product mixed channels, g a gate from l = 0."""

    def __init__(self, channels: Sequence[int], n_product: int):
        super().__init__()
        self.product = SelfProduct(len(channels) - 1, n_product)
        self.enter = nn.ParameterList([nn.Parameter(torch.randn(n_product, c) * c**-0.5) for c in channels])
        self.gate = nn.Linear(channels[0], n_product)
        self.keep = nn.ParameterList([nn.Parameter(torch.eye(c) + 0.1 * torch.randn(c, c) * c**-0.5) for c in channels])
        self.mix = nn.ParameterList([nn.Parameter(torch.randn(c, n_product) * n_product**-0.5) for c in channels])

    def forward(self, shells: list[Tensor]) -> list[Tensor]:
        entering = [linear_map(w, shell) for w, shell in zip(self.enter, shells, strict=True)]
        gate = torch.sigmoid(linear_map(self.gate.weight, shells[0]) + self.gate.bias[..., None, None])
        return [
            linear_map(u, shell) + linear_map(v, gate * p)
            for u, shell, v, p in zip(self.keep, shells, self.mix, self.product(entering), strict=True)
        ]


class NodeBlock(nn.Module):
    """Mixing by the centre's species, product layers, invariants after each.

    Args:
        n_species: centres.
        n_in: density channels of each l, (species or hop channels) × radial functions.
        channels: C_l.
        n_product: channels of each l in the product.
        n_layers: product layers.
        n_gram: channels of each l that enter the Gram invariants.
    """

    def __init__(self, n_species: int, n_in: Sequence[int], channels: Sequence[int], n_product: int, n_layers: int, n_gram: int):
        super().__init__()
        self.n_gram = n_gram
        self.mixing = nn.ModuleList([SpeciesLinear(n_species, n, c) for n, c in zip(n_in, channels, strict=True)])
        self.layers = nn.ModuleList([ProductLayer(channels, n_product) for _ in range(n_layers)])
        self.n_invariants = (1 + n_layers) * n_invariants(list(channels), n_gram)

    def forward(self, sources: Sequence[Source], sites_per_species: Sequence[int]) -> Tensor:
        """Densities and their factors → invariants (…, n_invariants, n_sites)."""
        shells = [
            mix([(densities[l], factors[l]) for densities, factors in sources], sites_per_species) for l, mix in enumerate(self.mixing)
        ]
        rows = [invariants(shells, self.n_gram)]
        for layer in self.layers:
            shells = layer(shells)
            rows.append(invariants(shells, self.n_gram))
        return torch.cat(rows, dim=-2)
