"""Energies of every member and their derivatives along every edge, in one forward, stage by stage.

    densities A  →  node network  →  E           G  = ∂E/∂A            f = Σ G ∂φ/∂r
    lean2: A → h; A2 = Σ_j h_j φ_ij; A, A2 → E   G2 = ∂E/∂A2, ∂E/∂h gathered along the reversed edges

The parameter-free edge stage is shared by all members; only the node networks, the hop and the last contraction run once for each.
"""

import torch
from torch import Tensor

from mlff.engine.choice import Edges
from mlff.engine.derivatives import vjp
from mlff.engine.exchange import Carrier, Within
from mlff.engine.steps import near_and_far, of_members
from mlff.engine.torch_edges import Shells
from mlff.model.invariant_model import InvariantModel
from mlff.model.lean2 import Lean2
from mlff.nn.slots import Neighborhood


def energies_and_pull(model: InvariantModel, edges: Edges, hood: Neighborhood, carrier: Carrier | None = None) -> tuple[Tensor, Tensor]:
    """Site energies and ∂E/∂r of each edge, in the model's units.

    Args:
        model: with a leading member dimension (mlff.engine.stack).
        edges: the edge stage of a batch.
        carrier: between sites and edges; None where every neighbour is a site.
    Returns:
        (n_members, n_sites), and (n_members, 3, n_slots, n_sites).
    """
    densities = of_members(model, edges.densities())
    near, far = near_and_far(model, hood.sites_per_species)
    if not isinstance(model, Lean2):
        energies, back = vjp(near, *densities)
        return energies, edges.pull(from_bins(model, list(back(torch.ones_like(energies)))))
    (rows, h), back_near = vjp(near, *densities)
    carrier = carrier or Within(hood)
    weights = carrier.to_edges(h)
    energies, back_far = vjp(far, rows, *densities, *edges.hop(weights))
    into_rows, *into_both = back_far(torch.ones_like(energies))
    direct, into_hop = into_both[: len(densities)], into_both[len(densities) :]
    into_h = carrier.from_edges(edges.into_weights(weights, into_hop))
    total = [a + b for a, b in zip(direct, back_near((into_rows, into_h)), strict=True)]
    return energies, edges.pull(from_bins(model, total), weights, into_hop)


def from_bins(model: InvariantModel, gradients: Shells) -> Shells:
    """Gradients of bins → of one density per neighbour species."""
    if model.bins is None:
        return gradients
    n_bins = len(model.bins)
    return [torch.einsum("bs,...bkmn->...skmn", model.bins, g.unflatten(-3, (n_bins, -1))).flatten(-4, -3) for g in gradients]
