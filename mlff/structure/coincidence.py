"""Coincidence-site lattices: the lattice points that a crystal and the same crystal turned about an axis have in common."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import atan2, degrees, gcd, isqrt, sqrt

import numpy as np


@dataclass(frozen=True, eq=False)
class Rotation:
    """A turn that leaves one lattice point of `sigma` in coincidence: R = matrix / sigma takes vectors of the second crystal to the first.

    matrix: (3, 3) int, acting on columns of lattice coordinates. angle: degrees about the axis, within (−180, 180].
    """

    matrix: np.ndarray
    sigma: int
    angle: float


@dataclass(frozen=True, eq=False)
class BoundaryCell:
    """One period of a boundary: the same box, written in lattice vectors of either crystal.

    first, second: (3, 3) int rows: two vectors within the plane, the shorter first, and one along its normal.
    """

    rotation: Rotation
    first: np.ndarray
    second: np.ndarray


def rotations(sigma: int, axis: Sequence[int]) -> list[Rotation]:
    """All turns of a cubic lattice about the axis with this Σ, the smallest angles first.

    The quaternions (m, n·axis) of coprime whole numbers turn by 2·atan(n|axis|/m) and have Σ = (m² + n²|axis|²) without its factors of 2
    (Acta Cryst. A30, 197, 1974).

    Raises:
        ValueError: there are none.
    """
    u = np.array(axis) // gcd(*(int(x) for x in axis))
    square = int(u @ u)
    found = []
    for n, m in product(range(1, isqrt(4 * sigma // square) + 1), range(isqrt(4 * sigma) + 1)):
        if gcd(m, n) > 1:
            continue
        for sign in (1, -1) if m else (1,):
            matrix, norm = _turned(m, sign * n * u)
            common = gcd(norm, *matrix.ravel().tolist())
            if norm // common == sigma:
                found.append(Rotation(matrix // common, sigma, degrees(2 * atan2(sign * n * sqrt(square), m))))
    if not found:
        raise ValueError(f"found no turn about {list(axis)} with Σ = {sigma}; Σ5 and Σ13 are turns about [100], Σ3 and Σ7 about [111]")
    return sorted(found, key=lambda rotation: (round(abs(rotation.angle), 6), rotation.angle))


def boundary_cell(sigma: int, axis: Sequence[int], plane: Sequence[int], angle: float | None = None) -> BoundaryCell:
    """The smallest period of a boundary in the plane (hkl) of the first crystal.

    Args:
        angle: degrees; None: that of the smallest period, and of these the smallest.
    Raises:
        ValueError: sigma is not an odd number above 1, axis or plane is zero, or there is no such turn.
    """
    if sigma < 3 or sigma % 2 == 0:
        raise ValueError(f"found sigma {sigma}, expected an odd number of 3 or more; one in sigma lattice points coincides")
    for name, direction in (("axis", axis), ("plane", plane)):
        if len(direction) != 3 or not any(direction) or any(int(x) != x for x in direction):
            raise ValueError(f"found {name} {list(direction)}, expected three whole numbers that are not all zero; give Miller indices")
    turns = rotations(sigma, axis)
    chosen = [turn for turn in turns if angle is None or abs(turn.angle - angle) < 0.1]
    if not chosen:
        known = ", ".join(f"{turn.angle:.2f}" for turn in turns)
        raise ValueError(f"found no turn by {angle} degrees about {list(axis)} with Σ = {sigma}; choose one of {known}")
    cells = [_period(turn, plane) for turn in chosen]
    return min(cells, key=lambda cell: round(abs(np.linalg.det(cell.first))))


def _turned(m: int, v: np.ndarray) -> tuple[np.ndarray, int]:
    """Numerator and denominator of the rotation matrix of the quaternion (m, v)."""
    x, y, z = (int(c) for c in v)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    square = x * x + y * y + z * z
    return (m * m - square) * np.eye(3, dtype=np.int64) + 2 * np.outer(v, v) + 2 * m * cross, m * m + square


def _period(rotation: Rotation, plane: Sequence[int]) -> BoundaryCell:
    """A vector v of the first lattice is one of the second where Rᵀ v is whole."""
    matrix, sigma = rotation.matrix, rotation.sigma
    normal = np.array(plane) // gcd(*(int(x) for x in plane))
    reach = np.arange(-2 * sigma, 2 * sigma + 1)  # twice what the shortest need, because Σ times any lattice vector coincides
    x, y = np.meshgrid(reach, reach)
    vectors = np.stack([x.ravel(), y.ravel()], 1) @ np.array(list(_within(normal)))
    vectors = vectors[((vectors @ matrix) % sigma == 0).all(1) & vectors.any(1)]
    # of vectors equally long the one that points along the first axes, so that the choice does not depend on their order
    vectors = np.array(sorted(vectors.tolist(), key=lambda v: (np.dot(v, v), [-c for c in v])))
    shortest = vectors[0]
    second = next(v for v in vectors if np.cross(shortest, v).any())
    if np.cross(shortest, second) @ normal < 0:
        second = -second
    steps = next(k for k in range(1, sigma + 1) if not ((k * normal @ matrix) % sigma).any())
    first = np.array([shortest, second, steps * normal])
    return BoundaryCell(rotation, first, first @ matrix // sigma)


def _within(normal: np.ndarray) -> Iterator[np.ndarray]:
    """Two shortest whole vectors perpendicular to the normal that span all others: in a plane the successive minima do."""
    reach = np.arange(-abs(normal).max(), abs(normal).max() + 1)
    vectors = np.array(list(product(reach, repeat=3)))
    vectors = vectors[(vectors @ normal == 0) & vectors.any(1)]
    vectors = vectors[np.argsort((vectors**2).sum(1), kind="stable")]
    yield vectors[0]
    yield next(v for v in vectors if np.cross(vectors[0], v).any())
