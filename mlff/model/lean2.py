"""`lean2`: `lean` with one hop, so that an atom feels its neighbours' surroundings."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlff.model.invariant_model import InvariantModel
from mlff.model.lean import MAX_BINS
from mlff.model.sizes import LEAN2, size_of
from mlff.nn.densities import DensityScale, species_bins, weighted_densities
from mlff.nn.edge_stage import EdgeStage
from mlff.nn.node_block import NodeBlock, Source
from mlff.nn.readout import Readout, Standardize, dense
from mlff.nn.slots import Neighborhood


class Lean2(InvariantModel):
    """The accuracy default: after one local pass each atom sends n_hop scalars h along the same edges.

    The second density A2 = Σ_j h_j φ_ij uses the edge features of the first; a domain-decomposed engine has to
    communicate h forwards and ∂E/∂h backwards, a few numbers per ghost atom.

    Args:
        species: element symbols.
        r_max: Å; r_cut_ratio: cutoff of each l as a share of it.
        size: XS, S, M or L.
        n_layers: product layers in each of the two passes.
        n_gram: channels of each l in the Gram invariants.
    """

    def __init__(
        self,
        species: Sequence[str],
        r_max: float = 5.0,
        r_cut_ratio: Sequence[float] = (1.0, 1.0, 1.0, 1.0),
        size: str = "S",
        n_layers: int = 1,
        n_gram: int = 4,
    ):
        super().__init__(species)
        sizes = size_of(LEAN2, size)
        self.r_max = float(r_max)
        self.stage = EdgeStage(sizes.n_radial, [r_max * share for share in r_cut_ratio[: len(sizes.n_radial)]])
        self.register_buffer("bins", species_bins(self.n_species, MAX_BINS))
        n_bins = min(self.n_species, MAX_BINS)
        node = (sizes.channels, sizes.n_product, n_layers, n_gram)

        self.scale = DensityScale(n_bins, self.stage)
        self.block = NodeBlock(self.n_species, [n_bins * k for k in sizes.n_radial], *node)
        self.standardize = Standardize(self.block.n_invariants)
        self.message = nn.Sequential(
            nn.Linear(self.block.n_invariants, 4 * sizes.n_hop), nn.SiLU(), nn.Linear(4 * sizes.n_hop, sizes.n_hop)
        )

        self.hop_scale = DensityScale(sizes.n_hop, self.stage)
        self.hop_block = NodeBlock(self.n_species, [(n_bins + sizes.n_hop) * k for k in sizes.n_radial], *node)
        self.hop_standardize = Standardize(self.hop_block.n_invariants)
        self.readout = Readout(self.block.n_invariants + self.hop_block.n_invariants, sizes.hidden, self.n_species)

    def calibrate(self, hood: Neighborhood) -> None:
        factors, sites = self.stage.factors(hood.vectors), hood.sites_per_species
        densities = self.densities(factors, hood.slots_per_species)
        self.scale.fit([hood.of_atoms(density) for density in densities])
        self.standardize.fit(hood.of_atoms(self.block(self.sources(densities), sites)))
        hop = weighted_densities(factors, self.send(self.local(densities, sites))[:, hood.neighbor])
        self.hop_scale.fit([hood.of_atoms(density) for density in hop])
        self.hop_standardize.fit(hood.of_atoms(self._far_invariants(densities, hop, sites)))

    def rows(self, hood: Neighborhood) -> Tensor:
        """Standardised invariants of both passes for each site, (n_rows, n_sites)."""
        factors, sites = self.stage.factors(hood.vectors), hood.sites_per_species
        densities = self.densities(factors, hood.slots_per_species)
        near = self.local(densities, sites)
        hop = weighted_densities(factors, self.send(near)[:, hood.neighbor])
        return torch.cat([near, self.far(densities, hop, sites)])

    def send(self, near: Tensor) -> Tensor:
        """h, (…, n_hop, n_sites), of the local invariants."""
        first, activation, second = self.message
        return dense(second, activation(dense(first, near)))

    def far(self, densities: list[Tensor], hop: list[Tensor], sites_per_species: tuple[int, ...]) -> Tensor:
        """Standardised invariants of both densities, (…, n_invariants, n_sites)."""
        return self.hop_standardize(self._far_invariants(densities, hop, sites_per_species))

    def _far_invariants(self, densities: list[Tensor], hop: list[Tensor], sites_per_species: tuple[int, ...]) -> Tensor:
        return self.hop_block(self.hop_sources(densities, hop), sites_per_species)

    def hop_sources(self, densities: Sequence[Tensor], hop: Sequence[Tensor]) -> list[Source]:
        """What the second pass mixes: both densities and their factors."""
        return [*self.sources(densities), (hop, self.hop_scale.factors())]
