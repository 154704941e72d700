"""`lean2` in three stages, split where an engine that shares out space has to communicate.

    near          vectors → h                      then h of ghost atoms is sent forward, 8 numbers per member and atom
    far           vectors, h → E, ∂E/∂h, forces    then ∂E/∂h of ghost atoms is sent back and added
    near_forces   vectors, ∂E/∂h → forces          the rest of them, through h

Forces come as pulls f = ∂E/∂r of each edge, which the engine adds up: F_i = Σ_j (f_ij − f_ji).
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlff.engine.derivatives import vjp
from mlff.engine.evaluate import from_bins
from mlff.engine.steps import near_and_far, of_members
from mlff.engine.torch_edges import TorchEdges
from mlff.export.compiled.site_model import len_of
from mlff.model.lean2 import Lean2
from mlff.model.potential import Potential


class _Stage(nn.Module):
    def __init__(self, stacked: Potential):
        super().__init__()
        if not isinstance(stacked.architecture, Lean2):
            raise ValueError(f"{type(stacked.architecture).__name__} has no hop to split at, expected lean2; export it whole")
        self.stacked = stacked

    def _edges(self, vectors: Tensor, slots: Sequence[Tensor]) -> TorchEdges:
        return TorchEdges(self.stacked.architecture.stage, vectors.to(self.stacked.dtype), tuple(len_of(block) for block in slots))

    def _steps(self, sites: Sequence[Tensor]):
        return near_and_far(self.stacked.architecture, tuple(len_of(block) for block in sites))


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
