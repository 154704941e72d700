"""Ziegler–Biersack–Littmark repulsion, tapered so that bonded atoms feel none of it."""

import torch
from ase.data import atomic_numbers, covalent_radii
from torch import Tensor, nn

from mlff.nn.native.library import library_for
from mlff.nn.native.pairs import Screened, repulsion
from mlff.nn.radial import envelope
from mlff.nn.slots import Neighborhood
from mlff.units import BOHR, COULOMB

_COEFFICIENTS = (0.18175, 0.50986, 0.28022, 0.02817)
_EXPONENTS = (3.19980, 0.94229, 0.40290, 0.20162)


class ZBL(nn.Module):
    """E_i = ½ Σ_j (z_i z_j e²/4πε₀ r) φ(r/a) e(r/(R_i + R_j)), R the covalent radii.

    Ziegler, Biersack, Littmark, The Stopping and Range of Ions in Solids (1985). Without the taper e it would add
    2.4 eV to a P–S bond of 2.05 Å.
    """

    def __init__(self, species: tuple[str, ...]):
        super().__init__()
        numbers = [atomic_numbers[s] for s in species]
        self.register_buffer("z", torch.tensor(numbers, dtype=torch.float64), persistent=False)
        self.register_buffer("radius", torch.tensor(covalent_radii[numbers], dtype=torch.float64), persistent=False)

    @property
    def r_max(self) -> float:
        """Å; the longest range of any pair."""
        return 2 * float(self.radius.max())

    def forward(self, hood: Neighborhood) -> Tensor:
        """Energy of each site, eV, (n_sites,)."""
        i, j = hood.species.unsqueeze(0), hood.species[hood.neighbor]
        strength, length, reach = self._of_pairs()
        r = hood.vectors.square().sum(0).sqrt()
        screening = sum(c * torch.exp(-b * r / length[i, j]) for c, b in zip(_COEFFICIENTS, _EXPONENTS, strict=True))
        return 0.5 * (strength[i, j] / r * screening * envelope(r / reach[i, j])).sum(0)

    def energies_and_pull(self, hood: Neighborhood) -> tuple[Tensor, Tensor]:
        """Energy of each site, eV, (n_sites,), and ∂E/∂r of each edge, eV/Å, (3, n_slots, n_sites), without a graph."""
        kernels = library_for(hood.vectors)
        if kernels is not None:
            return repulsion(kernels, hood.vectors, hood.sites_per_species, hood.slots_per_species, self.screened())
        with torch.enable_grad():
            vectors = hood.vectors.detach().requires_grad_()
            energies = self(hood.moved(vectors))
            return energies.detach(), torch.autograd.grad(energies.sum(), vectors)[0]

    def screened(self) -> Screened:
        """The same for kernels."""
        return Screened(*(table.contiguous() for table in self._of_pairs()), _COEFFICIENTS, _EXPONENTS)

    def _of_pairs(self) -> tuple[Tensor, Tensor, Tensor]:
        """z_i z_j e²/4πε₀, eV Å; a, Å; and R_i + R_j, Å, of each pair of species."""
        power = self.z**0.23
        return (
            COULOMB * self.z.unsqueeze(1) * self.z,
            0.8854 * BOHR / (power.unsqueeze(1) + power),
            self.radius.unsqueeze(1) + self.radius,
        )
