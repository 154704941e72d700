"""The tetrahedra of anions whose angles are followed: ligands around a centre, or ions of a bcc lattice around an empty or filled site."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from mlff.analysis.anions.anion_bodies import Bodies, bodies_of, checked
from mlff.analysis.anions.bcc_tetrahedra import bcc_tetrahedra
from mlff.analysis.system import NotApplicable, System

LIGANDS = np.array([(i, j, k) for i in range(4) for j in range(4) for k in range(j + 1, 4) if i not in (j, k)])  # all twelve
APEXES = np.array([(0, 2, 3), (1, 2, 3), (2, 0, 1), (3, 0, 1)])  # opposite a long edge of a bcc tetrahedron, between two short ones
IDEAL_LIGANDS, IDEAL_APEX = 60.0, float(np.degrees(np.arccos(1 / 3)))  # °


@dataclass(frozen=True, eq=False)
class Tetrahedra:
    """Of one kind.

    kind: "PS4", or "AgI4" of a lattice. corners: (n_corners, 3), vertices (i, j, k) of the angle at i between j and k.
    ideal: °, the angle of the undistorted tetrahedron.
    bodies: a centre and four ligands each; None for a lattice, whose
    vertices: (n, 4), and expected: (n, 4, 3), are as `bcc_tetrahedra` has them. n_all: how many there are, of which these are followed.
    """

    kind: str
    corners: np.ndarray
    ideal: float
    bodies: Bodies | None
    vertices: np.ndarray
    expected: np.ndarray
    n_all: int

    def __len__(self) -> int:
        return len(self.vertices)

    def angles(self, positions: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """θ, °, (n_frames, n × n_corners), those of one tetrahedron side by side; positions (n_frames, n_atoms, 3), wrapped or not."""
        if self.bodies is not None:
            placed = self.bodies.place(positions, cells)[:, :, 1:]
        else:
            positions, cells = checked(positions, cells)
            placed = np.empty((len(positions), *self.vertices.shape, 3))
            _place(positions, cells, np.linalg.inv(cells), self.vertices, self.expected, placed)
        angles = np.empty((len(positions), len(self), len(self.corners)))
        _angles(placed, self.corners, angles)
        return angles.reshape(len(positions), -1)


def tetrahedra_of(system: System, most: int) -> tuple[list[Tetrahedra], tuple[str, ...]]:
    """By kind, at most so many of each, spread evenly; and the kinds of anions that are no tetrahedra.

    Raises:
        NotApplicable: no anion holds a centre with four ligands, nor is an element beside the mobile ion a bcc lattice.
    """
    found, others = [], []
    for bodies in bodies_of(system.anions, system.numbers):
        rows = _four_around(bodies)
        if len(rows):
            chosen = rows[_spread(len(rows), most)]
            star = Bodies(bodies.kind, chosen, np.zeros_like(chosen), np.zeros((len(chosen), 0, 2), np.int64), None)
            found.append(Tetrahedra(bodies.kind, LIGANDS, IDEAL_LIGANDS, star, chosen[:, 1:], np.zeros((0, 4, 3)), len(rows)))
        else:
            others.append(bodies.kind)
    if not system.anions:
        found = [lattice for symbol in sorted(set(system.symbols) - {system.mobile}) for lattice in _lattice(system, symbol, most)]
    if not found:
        have = (
            ", ".join(others) or f"no anions, and no bcc lattice of {', '.join(sorted(set(system.symbols) - {system.mobile})) or 'others'}"
        )
        raise NotApplicable(f"found {have}; expected tetrahedral anions, or ions on a bcc lattice as in α-AgI; leave out anion_angles")
    return found, tuple(others)


def _four_around(bodies: Bodies) -> np.ndarray:
    """(n, 5) atoms: each centre with exactly four ligands, and these, ascending."""
    rows = []
    for atoms, bonds in zip(bodies.atoms, bodies.bonds, strict=True):
        for centre in np.unique(bonds[:, 0]):
            ligands = bonds[bonds[:, 0] == centre, 1]
            if len(ligands) == 4:
                rows.append([atoms[centre], *sorted(atoms[ligands])])
    return np.array(rows, np.int64).reshape(-1, 5)


def _lattice(system: System, symbol: str, most: int) -> list[Tetrahedra]:
    atoms = system.of(symbol)
    found = bcc_tetrahedra(system.positions[atoms], system.cell)
    if found is None:
        return []
    chosen = _spread(len(found[0]), most)
    vertices, expected = atoms[found[0][chosen]], np.ascontiguousarray(found[1][chosen])
    return [Tetrahedra(f"{system.mobile}{symbol}4", APEXES, IDEAL_APEX, None, vertices, expected, len(found[0]))]


def _spread(n: int, most: int) -> np.ndarray:
    return np.arange(n) if n <= most else np.arange(most) * n // most


@njit(cache=True, nogil=True)
def _place(positions, cells, inverse, vertices, expected, placed):
    """From the first vertex, each at the image nearest to where its site lies: ions of a lattice do not trade places in passing."""
    fraction = np.empty(3)
    for t in range(len(positions)):
        for n in range(len(vertices)):
            for v in range(4):
                d = positions[t, vertices[n, v]] - positions[t, vertices[n, 0]]
                for a in range(3):
                    f = d[0] * inverse[t, 0, a] + d[1] * inverse[t, 1, a] + d[2] * inverse[t, 2, a]
                    fraction[a] = f - np.rint(f - expected[n, v, a])
                for a in range(3):
                    placed[t, n, v, a] = fraction[0] * cells[t, 0, a] + fraction[1] * cells[t, 1, a] + fraction[2] * cells[t, 2, a]


@njit(cache=True, nogil=True)
def _angles(placed, corners, angles):
    for t in range(placed.shape[0]):
        for n in range(placed.shape[1]):
            for c in range(len(corners)):
                dot, first, second = 0.0, 0.0, 0.0
                for a in range(3):
                    here = placed[t, n, corners[c, 0], a]
                    j, k = placed[t, n, corners[c, 1], a] - here, placed[t, n, corners[c, 2], a] - here
                    dot, first, second = dot + j * k, first + j * j, second + k * k
                cosine = dot / np.sqrt(first * second) if first * second > 0 else 1.0
                angles[t, n, c] = np.degrees(np.arccos(min(1.0, max(-1.0, cosine))))
