"""Architectures that end in invariants of each atom and one readout of them."""

from abc import abstractmethod

from torch import Tensor

from mlff.model.architecture import Architecture, LinearReadout
from mlff.nn.readout import Readout
from mlff.nn.slots import Neighborhood
from mlff.nn.vacuum import subtract_vacuum


class InvariantModel(Architecture, LinearReadout):
    """E_i = readout(x_i) − readout(x of an isolated atom of the same species)."""

    readout: Readout

    @abstractmethod
    def rows(self, hood: Neighborhood) -> tuple[Tensor, Tensor]:
        """Standardised invariants (n_rows, n_atoms + n_species) and species, the isolated atoms last."""

    def forward(self, hood: Neighborhood) -> Tensor:
        rows, species = self.rows(hood)
        return subtract_vacuum(self.readout(rows, species), hood.species, self.n_species)

    def linear_features(self, hood: Neighborhood) -> Tensor:
        rows, species = self.rows(hood)
        return subtract_vacuum(self.readout.features(rows, species), hood.species, self.n_species)

    def linear_weights(self) -> Tensor:
        return self.readout.weights()

    def set_linear_weights(self, weights: Tensor) -> None:
        self.readout.set_weights(weights)
