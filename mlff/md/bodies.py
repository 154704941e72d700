"""Bodies of several atoms: their centres of mass, and velocities that come from turning about these."""

import numpy as np
import torch
from torch import Tensor


class Bodies:
    """Anions of one size, as bodies.

    Args:
        atoms: (n_bodies, n), indices. masses: (n_bodies, n), any unit.
        fixed: (n_bodies,) bool, whether the centre of mass rests.
    """

    def __init__(self, atoms: np.ndarray, masses: np.ndarray, fixed: np.ndarray, device: torch.device):
        self._size = atoms.shape[1]
        self.atoms = torch.from_numpy(atoms.ravel()).to(device)
        self.mass = torch.from_numpy(masses).to(device).unsqueeze(2)
        self._share = self.mass / self.mass.sum(1, keepdim=True)
        self._moves = torch.from_numpy(~fixed).to(device).view(-1, 1, 1)

    def of(self, values: Tensor) -> Tensor:
        """(n_atoms, 3) of all atoms → (n_bodies, n, 3)."""
        return values.index_select(0, self.atoms).view(-1, self._size, 3)

    def put(self, whole: Tensor, values: Tensor) -> Tensor:
        """`whole` (n_atoms, 3) with these values (n_bodies, n, 3) of the bodies' atoms."""
        return whole.index_copy(0, self.atoms, values.reshape(-1, 3))

    def centre(self, values: Tensor) -> Tensor:
        """Mass-weighted mean, (n_bodies, n, 3) → (n_bodies, 1, 3)."""
        return (self._share * values).sum(1, keepdim=True)

    def drift(self, velocities: Tensor) -> Tensor:
        """Velocity of the centre, (n_bodies, 1, 3); zero where it rests."""
        return self._moves * self.centre(velocities)

    def angular_momentum(self, about: Tensor, velocities: Tensor) -> Tensor:
        """Σ m r × v, (n_bodies, 3), of r about the centre."""
        return (self.mass * torch.linalg.cross(about, velocities)).sum(1)


def turning(rate: Tensor, about: Tensor) -> Tensor:
    """ω × r, (n_bodies, n, 3), of rates (n_bodies, 3)."""
    return torch.linalg.cross(rate.unsqueeze(1).expand_as(about), about)
