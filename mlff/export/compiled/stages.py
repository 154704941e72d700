"""What an engine that shares out space calls: `lean` whole, and `lean2` in three stages, split where the engine has to communicate.

    whole         vectors → E, forces              of `lean`

    near          vectors → h                      then h of ghost atoms is sent forward, 8 numbers per member and atom
    far           vectors, h → E, ∂E/∂h, forces    then ∂E/∂h of ghost atoms is sent back and added
    near_forces   vectors, ∂E/∂h → forces          the rest of them, through h
    repelled      vectors → E, forces              the repulsion of either, alike for every member

Forces come as pulls f = ∂E/∂r of each edge, which the engine adds up: F_i = Σ_j (f_ij − f_ji). Of a neighbour, which may be a ghost,
no stage knows more than its species and its h.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlff.engine.derivatives import vjp
from mlff.engine.evaluate import from_bins
from mlff.engine.steps import near_and_far, of_members
from mlff.engine.torch_edges import TorchEdges
from mlff.export.compiled.site_model import len_of, neighborhood
from mlff.model.lean import Lean
from mlff.model.lean2 import Lean2
from mlff.model.potential import Potential


class _Stage(nn.Module):
    """Vectors are (3, n_slots, n_sites), Å, float64; everything else has the model's dtype, and inputs are contiguous."""

    architecture: type = Lean2
    refusal = "has no hop to split at, expected lean2; export it whole"

    def __init__(self, stacked: Potential):
        super().__init__()
        if not isinstance(stacked.architecture, self.architecture):
            raise ValueError(f"{type(stacked.architecture).__name__} {self.refusal}")
        self.stacked = stacked

    def _edges(self, vectors: Tensor, slots: Sequence[Tensor]) -> TorchEdges:
        return TorchEdges(self.stacked.architecture.stage, vectors.to(self.stacked.dtype), tuple(len_of(block) for block in slots))

    def _steps(self, sites: Sequence[Tensor]):
        return near_and_far(self.stacked.architecture, tuple(len_of(block) for block in sites))


class Whole(_Stage):
    """Energies in the model's unit (n_members, n_sites), and the pull, (n_members, 3, n_slots, n_sites)."""

    architecture = Lean
    refusal = "is not evaluated whole, expected lean; split lean2 into its stages, other models have none"

    def forward(self, vectors: Tensor, slots: Sequence[Tensor], sites: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        edges = self._edges(vectors, slots)
        whole, _ = self._steps(sites)
        energies, back = vjp(whole, *of_members(self.stacked.architecture, edges.densities()))
        return energies, edges.pull(from_bins(self.stacked.architecture, list(back(torch.ones_like(energies)))))


class Near(_Stage):
    """h of each site, (n_members, n_hop, n_sites), and its local invariants, (n_members, n_rows, n_sites)."""

    def forward(self, vectors: Tensor, slots: Sequence[Tensor], sites: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        near, _ = self._steps(sites)
        rows, h = near(*of_members(self.stacked.architecture, self._edges(vectors, slots).densities()))
        return h, rows


class Far(_Stage):
    """Energies in the model's unit (n_members, n_sites), ∂E/∂h of each edge (n_members, n_hop, n_slots, n_sites), ∂E/∂rows of each
    site, and the pull that does not pass through h, (n_members, 3, n_slots, n_sites)."""

    def forward(
        self, vectors: Tensor, weights: Tensor, rows: Tensor, slots: Sequence[Tensor], sites: Sequence[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        edges = self._edges(vectors, slots)
        densities = of_members(self.stacked.architecture, edges.densities())
        _, far = self._steps(sites)
        energies, back = vjp(far, rows, *densities, *edges.hop(weights))
        into_rows, *into_both = back(torch.ones_like(energies))
        direct, into_hop = into_both[: len(densities)], into_both[len(densities) :]
        return (
            energies,
            edges.into_weights(weights, into_hop),
            into_rows,
            edges.pull(from_bins(self.stacked.architecture, list(direct)), weights, list(into_hop)),
        )


class NearForces(_Stage):
    """The pull through h and the local invariants, (n_members, 3, n_slots, n_sites)."""

    def forward(self, vectors: Tensor, into_rows: Tensor, into_h: Tensor, slots: Sequence[Tensor], sites: Sequence[Tensor]) -> Tensor:
        edges = self._edges(vectors, slots)
        near, _ = self._steps(sites)
        _, back = vjp(near, *of_members(self.stacked.architecture, edges.densities()))
        return edges.pull(from_bins(self.stacked.architecture, list(back((into_rows, into_h)))))


class Repelled(nn.Module):
    """Energy of each site, eV, (n_sites,), and the pull of the repulsion, eV/Å, (3, n_slots, n_sites), both float64.

    Raises:
        ValueError: the potential has no repulsion.
    """

    def __init__(self, stacked: Potential):
        super().__init__()
        if stacked.repulsion is None:
            raise ValueError("the potential has no repulsion, expected one with it; leave this stage out")
        self.stacked = stacked

    def forward(self, vectors: Tensor, species: Tensor, example: Tensor) -> tuple[Tensor, Tensor]:
        """Species of each site, (n_sites,) int64; of each slot any site of its neighbours' species, (n_slots,) int64."""
        neighbor = example.unsqueeze(1)
        return self.stacked.repulsion.energies_and_pull(neighborhood(vectors, neighbor, neighbor, species, (), ()))
