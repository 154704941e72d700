"""Ziegler–Biersack–Littmark repulsion, tapered so that bonded atoms feel none of it."""

import torch
from ase.data import atomic_numbers, covalent_radii
from torch import Tensor, nn

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
        r = hood.vectors.square().sum(0).sqrt()
        a = 0.8854 * BOHR / (self.z[i] ** 0.23 + self.z[j] ** 0.23)
        screening = sum(c * torch.exp(-b * r / a) for c, b in zip(_COEFFICIENTS, _EXPONENTS, strict=True))
        taper = envelope(r / (self.radius[i] + self.radius[j]))
        return 0.5 * (COULOMB * self.z[i] * self.z[j] / r * screening * taper).sum(0)
