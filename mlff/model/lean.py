"""`lean`: aggregate first, mix later; strictly local."""

from collections.abc import Sequence

from torch import Tensor

from mlff.model.invariant_model import InvariantModel
from mlff.model.sizes import LEAN, size_of
from mlff.nn.densities import DensityScale, species_bins
from mlff.nn.edge_stage import EdgeStage
from mlff.nn.node_block import NodeBlock
from mlff.nn.readout import Readout, Standardize
from mlff.nn.slots import Neighborhood

# beyond this many species the one-hot bins give way to a fixed embedding of this dimension
MAX_BINS = 6


class Lean(InvariantModel):
    """The local model: one density per neighbour species, two product layers, invariants, readout.

    Args:
        species: element symbols.
        r_max: Å, the longest cutoff.
        r_cut_ratio: cutoff of each l as a share of r_max; what a size has no l for is left out.
        size: XS, S, M or L.
        n_layers: product layers.
        n_gram: channels of each l in the Gram invariants.
    """

    def __init__(
        self,
        species: Sequence[str],
        r_max: float = 6.5,
        r_cut_ratio: Sequence[float] = (1.0, 0.85, 0.77, 0.77),
        size: str = "S",
        n_layers: int = 2,
        n_gram: int = 4,
    ):
        super().__init__(species)
        sizes = size_of(LEAN, size)
        self.r_max = float(r_max)
        self.stage = EdgeStage(sizes.n_radial, [r_max * share for share in r_cut_ratio[: len(sizes.n_radial)]])
        self.register_buffer("bins", species_bins(self.n_species, MAX_BINS))
        n_bins = min(self.n_species, MAX_BINS)
        self.scale = DensityScale(n_bins, self.stage)
        self.block = NodeBlock(self.n_species, [n_bins * k for k in sizes.n_radial], sizes.channels, sizes.n_product, n_layers, n_gram)
        self.standardize = Standardize(self.block.n_invariants)
        self.readout = Readout(self.block.n_invariants, sizes.hidden, self.n_species)

    def calibrate(self, hood: Neighborhood) -> None:
        densities = self.densities(self.stage.factors(hood.vectors), hood.slots_per_species)
        self.scale.fit([hood.of_atoms(density) for density in densities])
        self.standardize.fit(hood.of_atoms(self.block(self.sources(densities), hood.sites_per_species)))

    def rows(self, hood: Neighborhood) -> Tensor:
        """Standardised invariants of each site, (n_rows, n_sites)."""
        return self.local(self.densities(self.stage.factors(hood.vectors), hood.slots_per_species), hood.sites_per_species)
