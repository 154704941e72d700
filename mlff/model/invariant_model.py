"""Architectures that end in invariants of each atom and one readout of them."""

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor

from mlff.model.architecture import Architecture, LinearReadout
from mlff.nn.densities import DensityScale, Factors, species_densities, to_bins
from mlff.nn.edge_stage import EdgeStage
from mlff.nn.node_block import NodeBlock, Source
from mlff.nn.readout import Readout, Standardize
from mlff.nn.slots import Neighborhood


class InvariantModel(Architecture, LinearReadout):
    """E_i = readout(x_i), x the invariants of neighbour densities A = Σ_j φ_ij.

    The steps have names because the engine (mlff.engine) takes them one by one: `densities` knows no weights, `local`
    and `readout` know no edges.
    """

    stage: EdgeStage
    bins: Tensor | None
    scale: DensityScale
    block: NodeBlock
    standardize: Standardize
    readout: Readout

    @abstractmethod
    def rows(self, hood: Neighborhood) -> Tensor:
        """Standardised invariants of each site, (n_rows, n_sites)."""

    def forward(self, hood: Neighborhood) -> Tensor:
        return self.readout(self.rows(hood), hood.sites_per_species)

    def densities(self, factors: Factors, slots_per_species: tuple[int, ...]) -> list[Tensor]:
        """A of each l, (n_bins · K_l, 2l+1, n_sites); the same for every member of a committee."""
        return to_bins(species_densities(factors, slots_per_species), self.bins)

    def local(self, densities: list[Tensor], sites_per_species: tuple[int, ...]) -> Tensor:
        """Standardised invariants of the densities, (…, n_invariants, n_sites)."""
        return self.standardize(self.block(self.sources(densities), sites_per_species))

    def sources(self, densities: Sequence[Tensor]) -> list[Source]:
        """What the node network mixes: the densities and their factors."""
        return [(densities, self.scale.factors())]

    def linear_features(self, hood: Neighborhood) -> Tensor:
        return self.readout.features(self.rows(hood), hood.sites_per_species)

    def last_layer(self, hood: Neighborhood) -> Tensor:
        return self.readout.hidden_features(self.rows(hood), hood.sites_per_species)

    def linear_weights(self) -> Tensor:
        return self.readout.weights()

    def set_linear_weights(self, weights: Tensor) -> None:
        self.readout.set_weights(weights)
