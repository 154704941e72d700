"""From densities to equivariant features of each atom, and their invariants."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import jvp

from mlff.nn.invariants import invariants, n_invariants
from mlff.nn.linear_map import linear_map
from mlff.nn.native.block import BlockSizes, block_dual, block_rows, can_compute
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

    def weights(self) -> list[Tensor]:
        """In the order of `mlff.nn.native.block`."""
        return [*self.enter, self.gate.weight, self.gate.bias, *self.keep, *self.mix, self.product.weight]

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
        self.mixing = nn.ModuleList([SpeciesLinear(n_species, n, c) for n, c in zip(n_in, channels, strict=True)])
        self.layers = nn.ModuleList([ProductLayer(channels, n_product) for _ in range(n_layers)])
        self.n_gram, self.n_invariants = n_gram, (1 + n_layers) * n_invariants(list(channels), n_gram)
        self.sizes = BlockSizes(tuple(channels), n_product, n_layers, n_gram, self.n_invariants)

    def forward(self, sources: Sequence[Source], sites_per_species: Sequence[int], frozen: bool = False) -> Tensor:
        """Densities and their factors → invariants (…, n_invariants, n_sites).

        Args:
            frozen: no gradient of the weights will be asked for, so that kernels can spare it.
        """
        if self._has_kernels(sources):
            weights = self.packed([factors for _, factors in sources])
            return block_rows(self.sizes, weights.detach() if frozen else weights, [x for x, _ in sources], sites_per_species)
        return self._tensors(sources, sites_per_species)

    def dual(self, sources: Sequence[Source], rates: Sequence[Sequence[Tensor]], sites_per_species: Sequence[int]) -> tuple[Tensor, Tensor]:
        """The invariants of a stack, and how they change as the densities change at `rates`, one like each source's."""
        if self._has_kernels(sources):
            weights = self.packed([factors for _, factors in sources])
            return block_dual(self.sizes, weights, [x for x, _ in sources], rates, sites_per_species)

        def rows(*x: Tensor) -> Tensor:
            n = len(self.mixing)
            return self._tensors([(x[k * n : (k + 1) * n], factors) for k, (_, factors) in enumerate(sources)], sites_per_species)

        # dual numbers refuse tensors whose elements share memory
        return jvp(rows, tuple(a.contiguous() for x, _ in sources for a in x), tuple(a for x in rates for a in x))

    def packed(self, factors: Sequence[Sequence[Tensor]]) -> Tensor:
        """All weights of each member in the order of `mlff.nn.native.block`, (n_members, n_weights); factors of each source and l."""
        mixing = [mix.scaled([of_source[l] for of_source in factors]).flatten(2) for l, mix in enumerate(self.mixing)]
        layers = [weight.flatten(1) for layer in self.layers for weight in layer.weights()]
        return torch.cat([torch.cat(mixing, dim=2).flatten(1), *layers], dim=1)

    def _has_kernels(self, sources: Sequence[Source]) -> bool:
        return can_compute(self.mixing[0].weight, len(sources))

    def _tensors(self, sources: Sequence[Source], sites_per_species: Sequence[int]) -> Tensor:
        shells = [
            mix([(densities[l], factors[l]) for densities, factors in sources], sites_per_species) for l, mix in enumerate(self.mixing)
        ]
        rows = [invariants(shells, self.n_gram)]
        for layer in self.layers:
            shells = layer(shells)
            rows.append(invariants(shells, self.n_gram))
        return torch.cat(rows, dim=-2)
