"""`pair`: Lennard-Jones between every two species; a prior, and a model whose answers are known."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlff.model.architecture import Architecture
from mlff.nn.radial import envelope
from mlff.nn.slots import Neighborhood


class LennardJones(Architecture):
    """E_i = ½ Σ_j 4ε [(σ/r)¹² − (σ/r)⁶] e(r/r_max), ε and σ of each pair of species, symmetric.

    Args:
        species: element symbols.
        r_max: Å.
        epsilon: the first depth of every pair, in units of the potential's energy scale.
        sigma: the first diameter of every pair, Å.
    """

    def __init__(self, species: Sequence[str], r_max: float = 5.0, epsilon: float = 0.1, sigma: float = 2.0):
        super().__init__(species)
        self.r_max = float(r_max)
        n = self.n_species
        # of the logarithms, so that both stay positive while they are trained
        self.log_epsilon = nn.Parameter(torch.full((n, n), float(epsilon)).log())
        self.log_sigma = nn.Parameter(torch.full((n, n), float(sigma)).log())

    def forward(self, hood: Neighborhood) -> Tensor:
        pair = (hood.species.unsqueeze(0), hood.species[hood.neighbor])
        epsilon = (0.5 * (self.log_epsilon + self.log_epsilon.T)).exp()[pair]
        sigma = (0.5 * (self.log_sigma + self.log_sigma.T)).exp()[pair]
        r = hood.vectors.square().sum(0).sqrt()
        s6 = (sigma / r) ** 6
        return 2 * (epsilon * (s6 * s6 - s6) * envelope(r / self.r_max)).sum(0)
