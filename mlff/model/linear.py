"""`linear`: ridge regression on the power spectrum of the densities; fits in seconds."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlff.model.architecture import Architecture, LinearReadout
from mlff.model.lean import MAX_BINS
from mlff.nn.densities import DensityScale, species_bins, species_densities, to_bins
from mlff.nn.edge_stage import EdgeStage
from mlff.nn.readout import Standardize
from mlff.nn.slots import Neighborhood


class Linear(Architecture, LinearReadout):
    """E_i = a[z_i] · x_i, x the l = 0 densities and the Gram products Σ_m A_a,lm A_b,lm of every pair a ≤ b.

    Args:
        species: element symbols.
        r_max: Å, the cutoff of every l.
        n_radial: radial functions of each l.
    """

    def __init__(self, species: Sequence[str], r_max: float = 5.0, n_radial: Sequence[int] = (8, 6, 5, 3)):
        super().__init__(species)
        self.r_max = float(r_max)
        self.stage = EdgeStage(n_radial, [r_max] * len(n_radial))
        self.register_buffer("bins", species_bins(self.n_species, MAX_BINS))
        n_bins = min(self.n_species, MAX_BINS)
        self.scale = DensityScale(n_bins, self.stage)
        widths = [n_bins * k for k in n_radial]
        self.n_invariants = widths[0] + sum(n * (n + 1) // 2 for n in widths)
        self.standardize = Standardize(self.n_invariants)
        self.weight = nn.Parameter(torch.zeros(self.n_species, self.n_invariants))

    def forward(self, hood: Neighborhood) -> Tensor:
        return (self.weight[hood.species] * self._standardized(hood).T).sum(1)

    def linear_features(self, hood: Neighborhood) -> Tensor:
        # one block of features for each centre species
        x = self._standardized(hood)
        chosen = nn.functional.one_hot(hood.species, self.n_species).to(x.dtype)
        return torch.einsum("xn,ns->sxn", x, chosen).flatten(0, 1)

    def last_layer(self, hood: Neighborhood) -> Tensor:
        return self._standardized(hood)

    def linear_weights(self) -> Tensor:
        return self.weight.flatten()

    @torch.no_grad()
    def set_linear_weights(self, weights: Tensor) -> None:
        self.weight.copy_(weights.view_as(self.weight))

    def _standardized(self, hood: Neighborhood) -> Tensor:
        # only the spread is divided out: x of an isolated atom stays 0, and E0 exact
        return self._invariants(self._densities(hood)) / self.standardize.spread

    def calibrate(self, hood: Neighborhood) -> None:
        densities = self._densities(hood)
        self.scale.fit([hood.of_atoms(density) for density in densities])
        self.standardize.fit(hood.of_atoms(self._invariants(densities)))

    def _densities(self, hood: Neighborhood) -> list[Tensor]:
        return to_bins(species_densities(self.stage.factors(hood.vectors), hood.slots_per_species), self.bins)

    def _invariants(self, densities: list[Tensor]) -> Tensor:
        shells = [factor[:, None, None] * density for factor, density in zip(self.scale.factors(), densities, strict=True)]
        rows = [shells[0][:, 0]]
        for shell in shells:
            first, second = torch.triu_indices(len(shell), len(shell), device=shell.device)
            rows.append((shell[first] * shell[second]).mean(1))
        return torch.cat(rows)
