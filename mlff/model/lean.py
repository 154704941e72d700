"""`lean`: aggregate first, mix later; strictly local."""

from collections.abc import Sequence

from torch import Tensor

from mlff.model.architecture import atoms_by_species
from mlff.model.invariant_model import InvariantModel
from mlff.model.sizes import LEAN, size_of
from mlff.nn.densities import DensityScale, species_bins, species_densities
from mlff.nn.edge_stage import EdgeStage
from mlff.nn.node_block import NodeBlock
from mlff.nn.readout import Readout, Standardize
from mlff.nn.slots import Neighborhood
from mlff.nn.vacuum import append_vacuum, with_vacuum

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
        densities = species_densities(self.stage, self.stage(hood.vectors), hood.slots_per_species, self.bins)
        self.scale.fit(densities)
        self.standardize.fit(self.block(self.scale(densities), atoms_by_species(hood.species, self.n_species)))

    def rows(self, hood: Neighborhood) -> tuple[Tensor, Tensor]:
        """Standardised invariants and species of the atoms and of one isolated atom per species."""
        species = with_vacuum(hood.species, self.n_species)
        summed = species_densities(self.stage, self.stage(hood.vectors), hood.slots_per_species, self.bins)
        densities = append_vacuum(self.scale(summed), self.n_species)
        return self.standardize(self.block(densities, atoms_by_species(species, self.n_species))), species
