"""A linear map whose weights depend on the centre's species."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlff.nn.linear_map import linear_map


class SpeciesLinear(nn.Module):
    """y[c, m, i] = n_in^(−1/2) Σ_a W[z_i, c, a] s[a] x[a, m, i]; equivariant, since it never mixes m.

    Sites come sorted by species, so that each species is one matrix product. The inputs may come in several pieces, which
    are never put together: a committee shares one of them.

    Args:
        n_species, n_in, n_out: sizes; n_in of all pieces together.
    """

    def __init__(self, n_species: int, n_in: int, n_out: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_species, n_out, n_in))

    def forward(self, pieces: Sequence[tuple[Tensor, Tensor]], sites_per_species: Sequence[int]) -> Tensor:
        """pieces: x (…, n_in, m, n_sites), sorted by species, and its factors s (…, n_in); sites_per_species sum to n_sites."""
        scaled = self.scaled([factor for _, factor in pieces])
        total = None
        for weight, (x, _) in zip(scaled.split([x.shape[-3] for x, _ in pieces], dim=-1), pieces, strict=True):
            blocks = x.split(list(sites_per_species), dim=-1)
            mixed = torch.cat([linear_map(w, block) for w, block in zip(weight.unbind(-3), blocks, strict=True)], dim=-1)
            total = mixed if total is None else total + mixed
        return total

    def scaled(self, factors: Sequence[Tensor]) -> Tensor:
        """n_in^(−1/2) W s, (…, n_species, n_out, n_in)."""
        return self.weight * (self.weight.shape[-1] ** -0.5 * torch.cat(list(factors), dim=-1))[..., None, None, :]
