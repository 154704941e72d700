"""Architectures that end in invariants of each atom and one readout of them."""

from abc import abstractmethod

from torch import Tensor

from mlff.model.architecture import Architecture, LinearReadout
from mlff.nn.readout import Readout
from mlff.nn.slots import Neighborhood


class InvariantModel(Architecture, LinearReadout):
    """E_i = readout(x_i)."""

    readout: Readout

    @abstractmethod
    def rows(self, hood: Neighborhood) -> Tensor:
        """Standardised invariants of each site, (n_rows, n_sites)."""

    def forward(self, hood: Neighborhood) -> Tensor:
        return self.readout(self.rows(hood), hood.species)

    def linear_features(self, hood: Neighborhood) -> Tensor:
        return self.readout.features(self.rows(hood), hood.species)

    def linear_weights(self) -> Tensor:
        return self.readout.weights()

    def set_linear_weights(self, weights: Tensor) -> None:
        self.readout.set_weights(weights)
