"""Isolated atoms appended to a batch, so that what a network says of an empty surrounding can be taken off."""

import torch
from torch import Tensor


def append_vacuum(densities: list[Tensor], n_species: int) -> list[Tensor]:
    """Add one atom of each species with zero density: (…, n_atoms) → (…, n_atoms + n_species)."""
    return [torch.nn.functional.pad(density, (0, n_species)) for density in densities]


def with_vacuum(species: Tensor, n_species: int) -> Tensor:
    """The species of the atoms and of the appended isolated ones, (n_atoms + n_species,)."""
    return torch.cat([species, torch.arange(n_species, device=species.device)])


def subtract_vacuum(values: Tensor, species: Tensor, n_species: int) -> Tensor:
    """(…, n_atoms + n_species) → (…, n_atoms): an isolated atom gets exactly 0."""
    atoms, vacuum = values.split([len(species), n_species], dim=-1)
    return atoms - vacuum[..., species]
