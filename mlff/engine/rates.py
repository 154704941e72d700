"""How densities change as edges move: the forward-mode derivative of the edge stage, in one direction for each member."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.func import jvp

from mlff.nn.densities import Factors
from mlff.nn.edge_stage import EdgeStage


def factor_rates(stage: EdgeStage, vectors: Tensor, velocities: Tensor) -> Factors:
    """ḃ (n_members, K_l, n_slots, n_sites) and Ẏ (n_members, 2l+1, n_slots, n_sites) of each l.

    Args:
        vectors: (3, n_slots, n_sites).
        velocities: (n_members, 3, n_slots, n_sites).
    """
    moving = velocities.movedim(0, 1)
    # written out: dual numbers refuse tensors whose elements share memory
    _, rates = jvp(stage.factors, (vectors.unsqueeze(1).expand_as(moving).contiguous(),), (moving,))
    return [(b.movedim(1, 0), y.movedim(1, 0)) for b, y in rates]


def feature_rates(factors: Factors, rates: Factors) -> list[Tensor]:
    """φ̇ = ḃ Y + b Ẏ of each l, (n_members, K_l, 2l+1, n_slots, n_sites)."""
    return [db.unsqueeze(2) * y + b.unsqueeze(1) * dy.unsqueeze(1) for (b, y), (db, dy) in zip(factors, rates, strict=True)]


def species_rates(moving: Sequence[Tensor], slots_per_species: Sequence[int]) -> list[Tensor]:
    """Ȧ of each l, (n_members, n_species · K_l, 2l+1, n_sites), from φ̇."""
    return [torch.cat([block.sum(-2) for block in phi.split(list(slots_per_species), dim=-2)], dim=1) for phi in moving]


def weighted_rates(moving: Sequence[Tensor], weights: Tensor) -> list[Tensor]:
    """Σ_j h_j φ̇ of each l, (n_members, n_hop · K_l, 2l+1, n_sites).

    Args:
        moving: φ̇ of each l.
        weights: h of the neighbour in each slot, (n_members, n_hop, n_slots, n_sites).
    """
    h = weights.permute(0, 3, 1, 2)
    return [(h @ phi.flatten(1, 2).permute(0, 3, 2, 1)).permute(0, 2, 3, 1).unflatten(2, phi.shape[1:3]).flatten(1, 2) for phi in moving]
