"""Anions of one structure whose motion is constrained: their references, where these lie, and what is left to move."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlff.geometry.anion_motion import constrained_motions, projector
from mlff.geometry.superposition import angle, centred, superposition
from mlff.geometry.topology import Anion


@dataclass(frozen=True)
class HeldAnions:
    """Constrained anions with one number n of atoms.

    motions: letters of R, T and V that are taken from them.
    atoms: (n_anions, n) int64.
    shifts: (n_anions, n, 3) int64, whole cells: positions[atoms] + shifts @ cell is each in one piece.
    masses: (n_anions, n).
    reference: (n_anions, n, 3), Å, about the centre of mass and as they lie in the crystal.
    projectors: (n_anions, 3n, 3n), of velocities; None where what is left is a rigid body that turns.
    n_removed: degrees of freedom taken from each, (n_anions,).
    """

    motions: str
    atoms: np.ndarray
    shifts: np.ndarray
    masses: np.ndarray
    reference: np.ndarray
    projectors: np.ndarray | None
    n_removed: np.ndarray

    @property
    def pins_momentum(self) -> bool:
        """Whether the constraint takes up momentum, so that the total is not conserved."""
        return "T" in self.motions

    def geometry(self, positions: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """Each anion in one piece, (n_anions, n, 3), Å."""
        return positions[self.atoms] + self.shifts @ cell

    def rotations(self, positions: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """By how much each has turned from its reference, rad (n_anions,), and how well that is determined (`superposition`)."""
        turned, determined = superposition(self.reference, self.geometry(positions, cell), self.masses)
        return angle(turned), determined


def hold(
    anions: Sequence[Anion],
    masses: np.ndarray,
    positions: np.ndarray,
    cell: np.ndarray,
    mode: str,
    shapes: Mapping[int, np.ndarray] | None = None,
) -> tuple[list[HeldAnions], np.ndarray]:
    """Constrain anions as they lie now.

    Args:
        masses: of all atoms, (n_atoms,), amu.
        positions: (n_atoms, 3), Å. cell: (3, 3) rows, Å.
        mode: a name in `MODES`.
        shapes: ideal or averaged geometries (n, 3) in any orientation, by the anion's place in the list; None: as they are now.
    Returns:
        one entry for each number of atoms, and positions with which the constraints begin: where vibrations are constrained, each
        anion has its shape; otherwise as given, because the reference is laid over the anion.
    """
    motions = constrained_motions(mode)
    positions = np.array(positions, dtype=float)
    of_size: dict[int, list[int]] = defaultdict(list)
    for k, anion in enumerate(anions):
        of_size[len(anion.atoms)].append(k)
    held = []
    for members in of_size.values() if motions else ():
        atoms, shifts = (np.stack([getattr(anions[k], name) for k in members]) for name in ("atoms", "shifts"))
        weights, now = masses[atoms], positions[atoms] + shifts @ cell
        shape = now if shapes is None else np.stack([shapes[k] for k in members])
        turned, _ = superposition(shape, now, weights)
        reference = centred(shape, weights) @ turned.swapaxes(-1, -2)
        if "V" in motions:
            positions[atoms] += reference - centred(now, weights)
        held.append(HeldAnions(motions, atoms, shifts, weights, reference, *_projectors(weights, reference, motions)))
    return held, positions


def _projectors(masses: np.ndarray, reference: np.ndarray, motions: str) -> tuple[np.ndarray | None, np.ndarray]:
    if "V" in motions and "R" not in motions:  # left to turn as rigid bodies
        free = [projector(m, c, "R")[1] + 3 * ("T" not in motions) for m, c in zip(masses, reference, strict=True)]
        return None, 3 * masses.shape[1] - np.array(free)
    each = [projector(m, c, motions) for m, c in zip(masses, reference, strict=True)]
    return np.stack([p for p, _ in each]), np.array([rank for _, rank in each])
