"""Whether a frame is worth a reference calculation at all: atoms apart, a cell that is a cell, a density like the material's."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii

from mlff.geometry import neighbor_list
from mlff.units import G_PER_CM3


@dataclass(frozen=True)
class Soundness:
    """What a frame must keep to.

    contact: of the sum of two covalent radii, the shortest distance. distances: Å, of pairs with one of their own, such as {"Li-S": 1.6}.
    angle: degrees, the smallest between two lattice vectors. elongation: the longest over the shortest lattice vector.
    density: [least, most], g/cm³.
    """

    contact: float = 0.5
    distances: Mapping[str, float] = field(default_factory=dict)
    angle: float = 25.0
    elongation: float = 8.0
    density: tuple[float, float] = (0.1, 25.0)

    def fault(self, atoms: Atoms) -> str | None:
        """What is wrong with it; None where nothing is."""
        if not np.isfinite(atoms.positions).all() or not np.isfinite(atoms.cell.array).all():
            return "not a number"
        if all(atoms.pbc):
            lengths, angles = atoms.cell.cellpar()[:3], atoms.cell.cellpar()[3:]
            if lengths.min() <= 0 or lengths.max() / lengths.min() > self.elongation:
                return "an elongated cell"
            if min(angles.min(), 180 - angles.max()) < self.angle:
                return "a flat cell"
            density = atoms.get_masses().sum() / atoms.cell.volume / G_PER_CM3
            if not self.density[0] <= density <= self.density[1]:
                return "an odd density"
        return self._close_pair(atoms)

    def _close_pair(self, atoms: Atoms) -> str | None:
        limits = self.contact * (covalent_radii[:, None] + covalent_radii)
        for pair, limit in self.distances.items():
            one, other = (atomic_numbers[symbol] for symbol in pair.split("-"))
            limits[one, other] = limits[other, one] = limit
        present = np.unique(atoms.numbers)
        (i, j), shifts = neighbor_list(
            atoms.positions, atoms.cell.array, atoms.pbc, float(limits[np.ix_(present, present)].max()), half=True
        )
        lengths = np.linalg.norm(atoms.positions[j] + shifts @ atoms.cell.array - atoms.positions[i], axis=1)
        close = np.flatnonzero(lengths < limits[atoms.numbers[i], atoms.numbers[j]])
        if not len(close):
            return None
        names = sorted((atoms.symbols[int(i[close[0]])], atoms.symbols[int(j[close[0]])]))
        return f"{names[0]} and {names[1]} too close"
