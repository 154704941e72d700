"""A cell of tetrahedral anions and lithium, some of them cut by the boundary."""

import numpy as np
from ase import Atoms
from ase.data import atomic_masses

TETRAHEDRON = 1.18 * np.array([[0, 0, 0], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])  # PS4, Å
MASSES = atomic_masses[[15, 16, 16, 16, 16]]


def cell_of_anions(rng: np.random.Generator, thermal: float = 0.08) -> Atoms:
    """Four PS4 in a triclinic cell, twelve Li between them, all displaced a little and wrapped."""
    cell = np.array([[12.0, 0.4, 0.0], [0.0, 12.0, 0.3], [0.2, 0.0, 12.0]])
    atoms = Atoms(cell=cell, pbc=True)
    for centre in ([0.0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]):
        atoms += Atoms("PS4", positions=TETRAHEDRON + np.array(centre) @ cell)
    for site in ([0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5], [0.5, 0.5, 0.5]):
        for shift in (-0.12, 0.0, 0.12):
            atoms += Atoms("Li", positions=[(np.array(site) + shift * np.array([1, -1, 0])) @ cell])
    atoms.positions += rng.normal(scale=thermal, size=atoms.positions.shape)
    atoms.wrap()
    return atoms
