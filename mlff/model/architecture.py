"""What every architecture is."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from ase.data import atomic_numbers
from torch import Tensor, nn

from mlff.nn.slots import Neighborhood


class Architecture(nn.Module, ABC):
    """Energies per atom from a neighbourhood, and nothing else: forces, stress and E0 are the potential's.

    Args:
        species: element symbols, in the order of the species index.
    Attributes:
        r_max: Å, beyond which nothing is felt.
    """

    r_max: float

    def __init__(self, species: Sequence[str]):
        super().__init__()
        unknown = [s for s in species if s not in atomic_numbers]
        if unknown or not species or len(set(species)) != len(species):
            raise ValueError(f"species is {list(species)}, expected different element symbols; correct `data.species`")
        self.species = tuple(species)

    @property
    def n_species(self) -> int:
        return len(self.species)

    @abstractmethod
    def forward(self, hood: Neighborhood) -> Tensor:
        """Energy of each site, (n_sites,), in units of the potential's energy scale, which takes off the isolated atom's."""

    def calibrate(self, hood: Neighborhood) -> None:
        """Set constants (normalisations) from a sample of the training set; called once, before training."""


class LinearReadout(ABC):
    """An architecture whose last step is linear, so that a ridge regression can solve for it: E_i = w · x_i."""

    @abstractmethod
    def linear_features(self, hood: Neighborhood) -> Tensor:
        """x, (n_features, n_sites)."""

    @abstractmethod
    def last_layer(self, hood: Neighborhood) -> Tensor:
        """The features that learn, (n_last, n_sites): those that the extrapolation grade is made of."""

    @abstractmethod
    def linear_weights(self) -> Tensor:
        """w, (n_features,)."""

    @abstractmethod
    def set_linear_weights(self, weights: Tensor) -> None:
        """Replace w."""
