"""The edge stage of the engine in plain tensor operations, which a compiler can fuse; what `native` is tested against."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mlff.engine.edges import factor_gradients, hop_gradients, pull
from mlff.engine.rates import factor_rates, feature_rates, species_rates, weighted_rates
from mlff.nn.densities import species_densities, weighted_densities
from mlff.nn.edge_stage import EdgeStage

Shells = list[Tensor]


class TorchEdges:
    """The edges of one batch: densities, their gradients back to the edges, and their rates.

    Args:
        stage: the edge stage.
        vectors: (3, n_slots, n_sites), Å, in the model's dtype.
        slots_per_species: how many slots each neighbour species has.
    """

    def __init__(self, stage: EdgeStage, vectors: Tensor, slots_per_species: Sequence[int]):
        self.stage, self.vectors, self.slots = stage, vectors, tuple(slots_per_species)
        self.factors = stage.factors(vectors)

    def densities(self) -> Shells:
        """A of each l, (n_species · K_l, 2l+1, n_sites)."""
        return species_densities(self.factors, self.slots)

    def hop(self, weights: Tensor) -> Shells:
        """A2 = Σ_j h_j φ of each l, (n_members, n_hop · K_l, 2l+1, n_sites), of h (n_members, n_hop, n_slots, n_sites)."""
        return weighted_densities(self.factors, weights)

    def into_weights(self, weights: Tensor, gradients: Shells) -> Tensor:
        """∂E/∂h of each edge, shaped like the weights, from ∂E/∂A2."""
        return hop_gradients(self.factors, weights, gradients)[1]

    def pull(self, gradients: Shells, weights: Tensor | None = None, into_hop: Shells | None = None) -> Tensor:
        """∂E/∂r of each edge, (n_members, 3, n_slots, n_sites), from ∂E/∂A and, where there is a hop, h and ∂E/∂A2."""
        total = factor_gradients(self.factors, self.slots, gradients)
        if weights is not None:
            through_hop, _ = hop_gradients(self.factors, weights, into_hop)
            total = [(b1 + b2, y1 + y2) for (b1, y1), (b2, y2) in zip(total, through_hop, strict=True)]
        return pull(self.stage, self.vectors, total)

    def moving(self, velocities: Tensor) -> "TorchMovingEdges":
        """The edges as they move with ṙ (n_members, 3, n_slots, n_sites)."""
        return TorchMovingEdges(self, velocities)


class TorchMovingEdges:
    """Rates of the densities of `TorchEdges`, in one direction for each member."""

    def __init__(self, edges: TorchEdges, velocities: Tensor):
        self.edges = edges
        with torch.no_grad():
            self.rates = feature_rates(edges.factors, factor_rates(edges.stage, edges.vectors, velocities))

    def densities(self) -> Shells:
        """Ȧ of each l, (n_members, n_species · K_l, 2l+1, n_sites)."""
        return species_rates(self.rates, self.edges.slots)

    def hop(self, weights: Tensor, weight_rates: Tensor) -> tuple[Shells, Shells]:
        """A2 and Ȧ2 = Σ_j (ḣ_j φ + h_j φ̇), differentiable with respect to h and ḣ."""
        still = self.edges.hop(weights)
        return still, [a + b for a, b in zip(self.edges.hop(weight_rates), weighted_rates(self.rates, weights), strict=True)]
