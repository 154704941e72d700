"""Derivatives of the densities, edge by edge: what a change of energy per density means for each edge vector.

With φ = b_k Y_m, densities A = Σ_j φ and hop densities A2 = Σ_j h_j φ, the energy changes along an edge of atom i by
f_ij = Σ_km (G_km + Σ_c h_jc G2_ckm) ∂(b_k Y_m)/∂r_ij, with G = ∂E/∂A_i and G2 = ∂E/∂A2_i: an edge-wise scalar, differentiated
with respect to the edge's own vector. Everything is unrolled over k and m, for a compiler that keeps it in registers.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from mlff.nn.densities import Factors
from mlff.nn.edge_stage import EdgeStage


def factor_gradients(factors: Factors, slots_per_species: Sequence[int], gradients: Sequence[Tensor]) -> Factors:
    """∂E/∂b and ∂E/∂Y of each edge, from the densities' gradients.

    Args:
        gradients: of each l, (…, n_species · K_l, 2l+1, n_sites).
    Returns:
        for each l (…, K_l, n_slots, n_sites) and (…, 2l+1, n_slots, n_sites).
    """
    slots = list(slots_per_species)
    result = []
    for (b, y), gradient in zip(factors, gradients, strict=True):
        per_species = gradient.unflatten(-3, (len(slots), len(b))).unbind(-4)
        blocks = [
            _contract(b_s.unbind(0), y_s.unbind(0), _components(g))
            for b_s, y_s, g in zip(b.split(slots, dim=1), y.split(slots, dim=1), per_species, strict=True)
        ]
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
    channels = weights.unbind(-3)
    result, into_weights = [], [0.0] * len(channels)
    for (b, y), gradient in zip(factors, gradients, strict=True):
        rows, columns = b.unbind(0), y.unbind(0)
        of_b, of_y = [0.0] * len(rows), [0.0] * len(columns)
        for c, (h, g) in enumerate(zip(channels, gradient.unflatten(-3, (len(channels), len(b))).unbind(-4), strict=True)):
            for k, components in enumerate(_components(g)):
                inner = sum(y_m * g_m for y_m, g_m in zip(columns, components, strict=True))
                of_b[k] = of_b[k] + h * inner
                into_weights[c] = into_weights[c] + rows[k] * inner
                weighted = h * rows[k]
                of_y = [total + weighted * g_m for total, g_m in zip(of_y, components, strict=True)]
        result.append((torch.stack(of_b, dim=-3), torch.stack(of_y, dim=-3)))
    return result, torch.stack(into_weights, dim=-3)


def pull(stage: EdgeStage, vectors: Tensor, gradients: Factors) -> Tensor:
    """f = ∂E/∂r of each edge from ∂E/∂b and ∂E/∂Y, (…, 3, n_slots, n_sites)."""
    _, back = torch.func.vjp(stage.factors, vectors)
    batch = gradients[0][0].dim() - vectors.dim()
    for _ in range(batch):
        back = torch.func.vmap(back)
    return back([tuple(pair) for pair in gradients])[0]


def _components(gradient: Tensor) -> list[list[Tensor]]:
    """(…, K, 2l+1, n_sites) → K lists of 2l+1, each (…, 1, n_sites), to stand beside every slot."""
    return [[g.unsqueeze(-2) for g in row.unbind(-2)] for row in gradient.unbind(-3)]


def _contract(b: Sequence[Tensor], y: Sequence[Tensor], gradient: list[list[Tensor]]) -> tuple[Tensor, Tensor]:
    of_b = [sum(y_m * g for y_m, g in zip(y, row, strict=True)) for row in gradient]
    of_y = [sum(b_k * row[m] for b_k, row in zip(b, gradient, strict=True)) for m in range(len(y))]
    return torch.stack(of_b, dim=-3), torch.stack(of_y, dim=-3)
