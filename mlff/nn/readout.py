"""From invariants to one energy per atom."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class Readout(nn.Module):
    """E_i = MLP(x_i) + a·x_i, with x standardised by the training set's mean and spread.

    Args:
        n_in: invariants.
        hidden: widths of the hidden layers.
        n_species: an offset of the first hidden layer depends on the centre's species.
    """

    def __init__(self, n_in: int, hidden: tuple[int, ...], n_species: int):
        super().__init__()
        self.linear = nn.Linear(n_in, 1, bias=False)
        nn.init.zeros_(self.linear.weight)
        widths = (n_in, *hidden)
        self.hidden = nn.ModuleList([nn.Linear(a, b) for a, b in pairwise(widths)])
        self.species_offset = nn.Embedding(n_species, widths[1])
        nn.init.normal_(self.species_offset.weight, std=0.5)
        self.last = nn.Linear(widths[-1], 1, bias=False)
        nn.init.normal_(self.last.weight, std=0.1 * widths[-1] ** -0.5)

    def forward(self, x: Tensor, sites_per_species: Sequence[int]) -> Tensor:
        """x: (…, n_in, n_sites), sorted by species → (…, n_sites)."""
        return (self.last.weight @ self.hidden_features(x, sites_per_species) + self.linear.weight @ x).squeeze(-2)

    def features(self, x: Tensor, sites_per_species: Sequence[int]) -> Tensor:
        """What the energy is linear in: the last hidden layer, then x itself; (…, n_hidden + n_in, n_sites)."""
        return torch.cat([self.hidden_features(x, sites_per_species), x], dim=-2)

    def hidden_features(self, x: Tensor, sites_per_species: Sequence[int]) -> Tensor:
        """The last hidden layer, (…, n_hidden, n_sites)."""
        offsets = self.species_offset.weight.unsqueeze(-1).unbind(-3)
        per_site = [offset.expand(*offset.shape[:-1], n) for offset, n in zip(offsets, sites_per_species, strict=True)]
        y = dense(self.hidden[0], x) + torch.cat(per_site, dim=-1)
        for layer in self.hidden[1:]:
            y = dense(layer, nn.functional.silu(y))
        return nn.functional.silu(y)

    def weights(self) -> Tensor:
        """The energy's weights on the features, (n_hidden + n_in,)."""
        return torch.cat([self.last.weight, self.linear.weight], dim=1).squeeze(0)

    @torch.no_grad()
    def set_weights(self, weights: Tensor) -> None:
        """The inverse of `weights`."""
        last, linear = weights.to(self.last.weight.dtype).split([self.last.in_features, self.linear.in_features])
        self.last.weight.copy_(last.unsqueeze(0))
        self.linear.weight.copy_(linear.unsqueeze(0))


def dense(layer: nn.Linear, x: Tensor) -> Tensor:
    """A linear layer on (…, n_in, n_sites)."""
    return layer.weight @ x + layer.bias.unsqueeze(-1)


class Standardize(nn.Module):
    """(x − mean) / spread for each row, with constants fitted once on the training set."""

    mean: Tensor
    spread: Tensor

    def __init__(self, n_rows: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_rows, 1))
        self.register_buffer("spread", torch.ones(n_rows, 1))

    @torch.no_grad()
    def fit(self, x: Tensor) -> None:
        """x: (n_rows, n_sites)."""
        self.mean.copy_(x.mean(1, keepdim=True))
        spread = x.std(1, keepdim=True)
        # a row that never varies must not be blown up by its rounding errors
        self.spread.copy_(torch.where(spread > 1e-4 * spread.max(), spread, torch.ones_like(spread)))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.spread
