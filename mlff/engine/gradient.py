"""Exact gradients of a loss on energies, forces and stress, without double backward.

With F = −∂E/∂r, v = ∂L/∂F, e = ∂L/∂E and stress σ = (1/V) ∂E/∂ε, W = ∂L/∂σ,

    ∂L/∂θ = ∂/∂θ [ e·E − D_v E + (1/V) D_W E ],

where D_v E is the derivative of the energy as the atoms move along v, and D_W E as every edge strains, ṙ = W r. Pass 1 gives
E and F without any graph of the parameters; the loss gives e, v and W; pass 2 is one forward of dual numbers (A, Ȧ) through the
node network and one ordinary backward. Nothing is differentiated twice with respect to positions.
"""

from torch import Tensor

from mlff.engine.choice import Edges
from mlff.engine.exchange import to_edges
from mlff.engine.steps import dual_near_and_far, of_members
from mlff.model.invariant_model import InvariantModel
from mlff.model.lean2 import Lean2
from mlff.nn.densities import to_bins
from mlff.nn.slots import Neighborhood


def energy_rates(model: InvariantModel, edges: Edges, hood: Neighborhood, velocities: Tensor) -> tuple[Tensor, Tensor]:
    """E and Ė = Σ_edges ∂E/∂r · ṙ of each site and member, with the graph of the parameters.

    Args:
        model: with a leading member dimension.
        edges: the edge stage of the batch.
        velocities: ṙ of each edge, (n_members, 3, n_slots, n_sites).
    Returns:
        two of (n_members, n_sites), in the model's units.
    """
    moving = edges.moving(velocities)
    near, far = dual_near_and_far(model, hood.sites_per_species)
    densities, rates = of_members(model, edges.densities()), to_bins(moving.densities(), model.bins)
    if not isinstance(model, Lean2):
        return near(densities, rates)
    rows, h = near(densities, rates)
    hop, hop_rates = moving.hop(*(to_edges(values, hood.neighbor, hood.reverse) for values in h))
    return far(rows, densities, rates, hop, hop_rates)
