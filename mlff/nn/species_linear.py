"""A linear map whose weights depend on the centre's species."""

import torch
from torch import Tensor, nn


class SpeciesLinear(nn.Module):
    """y[c, m, i] = n_in^(−1/2) Σ_a W[z_i, c, a] x[a, m, i]; equivariant, since it never mixes m.

    Args:
        n_species, n_in, n_out: sizes.
    """

    def __init__(self, n_species: int, n_in: int, n_out: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_species, n_out, n_in))
        self.scale = n_in**-0.5

    def forward(self, x: Tensor, atoms_of: list[Tensor]) -> Tensor:
        """x: (n_in, …, n_atoms); atoms_of: for each species the atoms that have it."""
        flat = x.flatten(1, -2) if x.dim() > 2 else x.unsqueeze(1)
        parts = [
            torch.mm(weight, flat.index_select(2, atoms).flatten(1)).unflatten(1, (flat.shape[1], len(atoms)))
            for weight, atoms in zip(self.weight.unbind(0), atoms_of, strict=True)
        ]
        # one gather puts the atoms back where they were
        back = torch.cat(atoms_of).argsort()
        mixed = torch.cat(parts, dim=2).index_select(2, back) * self.scale
        return mixed.view(len(mixed), *x.shape[1:])
