"""Numbers that do not change when the surroundings turn."""

import torch
from torch import Tensor


def invariants(shells: list[Tensor], n_gram: int) -> Tensor:
    """l = 0 channels, squared norms of every channel, and Gram products of the first n_gram channels of each l.

    No square roots: their derivative at zero would be infinite.

    Args:
        shells: one (…, n_channels_l, 2l+1, n_sites) for each l.
    Returns:
        (…, n_invariants, n_sites).
    """
    rows = [shells[0].squeeze(-2)]
    for shell in shells[1:]:
        # split, not slice: slices leave full-size zeros in the backward pass
        rows.append(shell.square().mean(-2))
        n = min(n_gram, shell.shape[-3])
        if n > 1:
            first = shell.split([n, shell.shape[-3] - n], dim=-3)[0].unbind(-3)
            rows.append(torch.stack([(first[a] * first[b]).mean(-2) for a in range(n) for b in range(a + 1, n)], dim=-2))
    return torch.cat(rows, dim=-2)


def n_invariants(channels: list[int], n_gram: int) -> int:
    """How many rows `invariants` returns for these channels per l."""
    grams = [min(n_gram, c) for c in channels[1:]]
    return channels[0] + sum(channels[1:]) + sum(n * (n - 1) // 2 for n in grams)
