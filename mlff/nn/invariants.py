"""Numbers that do not change when the surroundings turn."""

import torch
from torch import Tensor


def invariants(shells: list[Tensor], n_gram: int) -> Tensor:
    """l = 0 channels, squared norms of every channel, and Gram products of the first n_gram channels of each l.

    No square roots: their derivative at zero would be infinite.

    Args:
        shells: one (n_channels_l, 2l+1, n_sites) for each l.
    Returns:
        (n_invariants, n_sites).
    """
    rows = [shells[0][:, 0]]
    for shell in shells[1:]:
        # split, not slice: slices leave full-size zeros in the backward pass
        rows.append(shell.square().mean(1))
        n = min(n_gram, len(shell))
        if n > 1:
            first = shell.split([n, len(shell) - n])[0]
            gram = torch.einsum("amn,bmn->abn", first, first) / shell.shape[1]
            upper = torch.triu_indices(n, n, offset=1, device=shell.device)
            rows.append(gram[upper[0], upper[1]])
    return torch.cat(rows)


def n_invariants(channels: list[int], n_gram: int) -> int:
    """How many rows `invariants` returns for these channels per l."""
    grams = [min(n_gram, c) for c in channels[1:]]
    return channels[0] + sum(channels[1:]) + sum(n * (n - 1) // 2 for n in grams)
