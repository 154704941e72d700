"""The tetrahedra of a body-centred cubic lattice of ions, found in one frame however much its ions vibrate."""

from itertools import combinations, product

import numpy as np

from mlff.geometry import neighbor_list

LEAST_PEAK = 0.15  # of a Bragg peak over that of the lattice at rest, exp(−G²u²): iodide at 500 K has about 0.6, no lattice 1/N
STRAIN = 0.08  # by which lengths may depart from those of the cubic lattice


def bcc_tetrahedra(positions: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """All tetrahedra of four ions, six per ion: two opposite long edges a and four short ones √3a/2, with one ion at each vertex.

    A lattice is known by its twelve first Bragg peaks (110), whose phases tell to which site each ion belongs; neighbours are those of
    the sites. Distances between ions that vibrate would not tell them apart: the second shell is only 15 % farther than the first.

    Args:
        positions: (n, 3), Å, of the ions alone. cell: (3, 3) rows, Å.
    Returns:
        vertices: (6 n, 4) int64; the first and second are ends of one long edge, the third and fourth of the other.
        expected: (6 n, 4, 3), where the site of each vertex lies from that of the first, in units of the cell vectors.
        None where the ions are not a bcc lattice with one ion on every site.
    """
    n = len(positions)
    found = _lattice(positions, cell) if n > 1 else None
    if found is None:
        return None
    planes, phases = found  # (3, 3) whole numbers, and of the waves that they are
    fractions = np.linalg.solve(cell.T, positions.T).T
    sites = np.round(fractions @ planes.T - phases).astype(np.int64)
    ideal = np.linalg.solve(planes, (sites + phases).T).T @ cell
    a = (2 * abs(np.linalg.det(cell)) / n) ** (1 / 3)
    wrapped = np.floor(np.linalg.solve(planes, (sites + phases).T).T).astype(np.int64)
    (i, j), shift = neighbor_list(ideal - wrapped @ cell, cell, np.ones(3, bool), 1.2 * a)
    steps = sites[j] - sites[i] + (shift - wrapped[j] + wrapped[i]) @ planes.T
    if len(i) != 14 * n or (np.bincount(i, minlength=n) != 14).any():
        return None
    kinds, kind = np.unique(steps, axis=0, return_inverse=True)
    lengths = np.linalg.norm(np.linalg.solve(planes, kinds.T).T @ cell, axis=1)
    if len(kinds) != 14 or lengths.min() < (1 - STRAIN) * np.sqrt(0.75) * a:
        return None
    to = np.empty((n, 14), np.int64)
    to[i, kind.ravel()] = j
    vertices, expected = [], []
    for long, third, fourth in _corners(kinds, lengths):
        vertices.append(np.stack([np.arange(n), to[:, long], to[:, third], to[:, fourth]], axis=1))
        expected.append(np.linalg.solve(planes, np.stack([0 * kinds[0], kinds[long], kinds[third], kinds[fourth]]).T).T)
    return np.stack(vertices, axis=1).reshape(-1, 4), np.tile(np.stack(expected), (n, 1, 1))


def _lattice(positions: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Three (110) planes, in units of the reciprocal cell, (3, 3), that span the reciprocal lattice, and the phases of their waves."""
    n, volume = len(positions), abs(np.linalg.det(cell))
    length = np.sqrt(2) * (n / (2 * volume)) ** (1 / 3)  # of (110), 1/Å
    reach = [range(-top, top + 1) for top in np.ceil((1 + STRAIN) * length * np.linalg.norm(cell, axis=1)).astype(int)]
    planes = np.array(list(product(*reach)))
    size = np.linalg.norm(planes @ np.linalg.inv(cell).T, axis=1)
    planes = planes[np.abs(size / length - 1) < STRAIN]
    waves = np.exp(2j * np.pi * np.linalg.solve(cell.T, positions.T).T @ planes.T).mean(0)
    strong = np.abs(waves) ** 2 > LEAST_PEAK
    if strong.sum() != 12:
        return None
    for three in combinations(np.flatnonzero(strong), 3):
        if abs(round(np.linalg.det(planes[list(three)]))) == n:
            return planes[list(three)], np.angle(waves[list(three)]) / (2 * np.pi)
    return None


def _corners(steps: np.ndarray, lengths: np.ndarray):
    """(long, third, fourth), places in `steps`, of the six tetrahedra that begin at an ion, so that each of the crystal comes once."""
    order = np.argsort(lengths)
    short, long = order[:8], order[8:]
    place = {tuple(step): k for k, step in enumerate(steps.tolist())}
    half = [k for k in long if tuple(steps[k].tolist()) > (0, 0, 0)]
    for edge, (third, fourth) in product(half, combinations(short, 2)):
        across = steps[fourth] - steps[third]
        opposite = place.get(tuple(np.where(tuple(across.tolist()) > (0, 0, 0), across, -across).tolist()))
        ends = [place.get(tuple((steps[edge] - steps[k]).tolist())) for k in (third, fourth)]
        if opposite in half and opposite > edge and all(end in short for end in ends):
            yield edge, third, fourth
