"""Derivatives of the densities, edge by edge: what a change of energy per density means for each edge vector.

With φ = b_k Y_m, densities A = Σ_j φ and hop densities A2 = Σ_j h_j φ, the energy changes along an edge of atom i by
f_ij = Σ_km (G_km + Σ_c h_jc G2_ckm) ∂(b_k Y_m)/∂r_ij, with G = ∂E/∂A_i and G2 = ∂E/∂A2_i: an edge-wise scalar, differentiated
with respect to the edge's own vector. A compiler gets everything unrolled over k and m, and keeps it in registers.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from mlff.nn.densities import Factors
from mlff.nn.edge_stage import EdgeStage, outer
from mlff.nn.tracing import for_compiler


def factor_gradients(factors: Factors, slots_per_species: Sequence[int], gradients: Sequence[Tensor]) -> Factors:
    """∂E/∂b and ∂E/∂Y of each edge, from the densities' gradients.

    Args:
        gradients: of each l, (…, n_species · K_l, 2l+1, n_sites).
    Returns:
        for each l (…, K_l, n_slots, n_sites) and (…, 2l+1, n_slots, n_sites).
    """
    slots = list(slots_per_species)
    contract = _unrolled if for_compiler() else _broadcast
    result = []
    for (b, y), gradient in zip(factors, gradients, strict=True):
        per_species = gradient.unflatten(-3, (len(slots), len(b))).unbind(-4)
        blocks = [contract(b_s, y_s, g) for b_s, y_s, g in zip(b.split(slots, dim=1), y.split(slots, dim=1), per_species, strict=True)]
        result.append(tuple(torch.cat(parts, dim=-2) for parts in zip(*blocks, strict=True)))
    return result


def hop_gradients(factors: Factors, weights: Tensor, gradients: Sequence[Tensor]) -> tuple[Factors, Tensor]:
    """∂E/∂b, ∂E/∂Y and ∂E/∂h of each edge, from the hop densities' gradients.

    Args:
        weights: h of the neighbour in each slot, (…, n_hop, n_slots, n_sites).
        gradients: of each l, (…, n_hop · K_l, 2l+1, n_sites).
    Returns:
        as `factor_gradients`, and (…, n_hop, n_slots, n_sites).
    """
    n_hop = weights.shape[-3]
    form = _hop_unrolled if for_compiler() else _hop_matrix
    per_channel = [g.unflatten(-3, (n_hop, len(b))) for (b, _), g in zip(factors, gradients, strict=True)]
    parts = [form(b, y, weights, g) for (b, y), g in zip(factors, per_channel, strict=True)]
    return [(of_b, of_y) for of_b, of_y, _ in parts], sum(into for _, _, into in parts)


def pull(stage: EdgeStage, vectors: Tensor, gradients: Factors) -> Tensor:
    """f = ∂E/∂r of each edge from ∂E/∂b and ∂E/∂Y, (…, 3, n_slots, n_sites)."""
    _, back = torch.func.vjp(stage.factors, vectors)
    batch = gradients[0][0].dim() - vectors.dim()
    for _ in range(batch):
        back = torch.func.vmap(back)
    return back([tuple(pair) for pair in gradients])[0]


def _broadcast(b: Tensor, y: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    wide = gradient.unsqueeze(-2)
    return (wide * y).sum(-3), (wide * b.unsqueeze(1)).sum(-4)


def _unrolled(b: Tensor, y: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    rows, columns, components = b.unbind(0), y.unbind(0), _components(gradient)
    of_b = [sum(y_m * g for y_m, g in zip(columns, row, strict=True)) for row in components]
    of_y = [sum(b_k * row[m] for b_k, row in zip(rows, components, strict=True)) for m in range(len(columns))]
    return torch.stack(of_b, dim=-3), torch.stack(of_y, dim=-3)


def _hop_matrix(b: Tensor, y: Tensor, weights: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """As matrix products for each site, over channels and over (k, m)."""
    h = weights.movedim(-1, -3)  # (…, n_sites, n_hop, n_slots)
    g = gradient.flatten(-3, -2).movedim(-1, -3)  # (…, n_sites, n_hop, K (2l+1))
    features = outer(b, y).flatten(0, 1).permute(2, 1, 0)  # (n_sites, n_slots, K (2l+1))
    into = (features @ g.mT).movedim(-3, -1).transpose(-3, -2)
    summed = (g.mT @ h).movedim(-3, -1).unflatten(-3, (len(b), len(y)))
    return (summed * y).sum(-3), (summed * b.unsqueeze(1)).sum(-4), into


def _hop_unrolled(b: Tensor, y: Tensor, weights: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    rows, columns = b.unbind(0), y.unbind(0)
    of_b, of_y, into = [0.0] * len(rows), [0.0] * len(columns), []
    for h, g in zip(weights.unbind(-3), gradient.unbind(-4), strict=True):
        total = 0.0
        for k, components in enumerate(_components(g)):
            inner = sum(y_m * g_m for y_m, g_m in zip(columns, components, strict=True))
            of_b[k] = of_b[k] + h * inner
            total = total + rows[k] * inner
            weighted = h * rows[k]
            of_y = [sum_m + weighted * g_m for sum_m, g_m in zip(of_y, components, strict=True)]
        into.append(total)
    return torch.stack(of_b, dim=-3), torch.stack(of_y, dim=-3), torch.stack(into, dim=-3)


def _components(gradient: Tensor) -> list[list[Tensor]]:
    """(…, K, 2l+1, n_sites) → K lists of 2l+1, each (…, 1, n_sites), to stand beside every slot."""
    return [[g.unsqueeze(-2) for g in row.unbind(-2)] for row in gradient.unbind(-3)]
