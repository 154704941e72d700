"""A linear map whose weights depend on the centre's species."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class SpeciesLinear(nn.Module):
    """y[c, m, i] = n_in^(−1/2) Σ_a W[z_i, c, a] x[a, m, i]; equivariant, since it never mixes m.

    Sites come sorted by species, so that each species is one matrix product.

    Args:
        n_species, n_in, n_out: sizes.
    """

    def __init__(self, n_species: int, n_in: int, n_out: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_species, n_out, n_in))
        self.scale = n_in**-0.5

    def forward(self, x: Tensor, sites_per_species: Sequence[int]) -> Tensor:
        """x: (n_in, …, n_sites), sorted by species; sites_per_species sum to n_sites."""
        parts = [
            torch.mm(weight, block.flatten(1)).view(len(weight), *block.shape[1:])
            for weight, block in zip(self.weight.unbind(0), x.split(list(sites_per_species), dim=-1), strict=True)
        ]
        return torch.cat(parts, dim=-1) * self.scale
