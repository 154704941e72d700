"""Slabs between two parallel surfaces of a crystal, in which every polyatomic anion is whole."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import make_supercell

from mlff.structure.bodies import Bodies, bodies_of
from mlff.structure.build import crystal
from mlff.structure.charge import OF_ANION, OF_ION

LEVEL = 0.05  # Å; anions and ions whose heights differ by less lie in one level


def slab(
    structure: str | Path | Atoms,
    miller: Sequence[int],
    n_layers: int = 3,
    vacuum: float = 15.0,
    termination: int | None = None,
    *,
    rng: np.random.Generator,
) -> Atoms:
    """A stoichiometric slab of lattice planes (h k l), not relaxed.

    Anions and single ions are taken whole, each by the height of its middle, so that no bond of an anion is cut and every layer holds the
    composition of one cell. Which of them lie lowest is the termination: between any two levels one may begin. Where that leaves the slab
    polar, outermost cations go from one surface to their places in the crystal at the other (Tasker's reconstruction).

    Args:
        structure: as `crystal`; indices refer to its cell.
        miller: h, k, l, whole numbers without a common divisor.
        n_layers: layers of one lattice plane distance each.
        vacuum: Å between the highest atom and the lowest of the next image.
        termination: a number from the lowest level upwards; None: the least polar one, of these the one that
            moves the fewest cations, then the one with the widest gap.
    Returns:
        periodic atoms with the surface normal along z, the first vector of the surface along x. `info`: miller, n_layers, vacuum,
        termination, n_terminations, n_moved (cations), and dipole (e Å along z, of anions and ions as points at their middles; None
        where a charge is not known, and then no cation is moved).
    Raises:
        ValueError: indices with a common divisor, bonded pieces that are no anions of a known shape, or no such termination.
    """
    atoms = crystal(structure, rng=rng)
    oriented = make_supercell(atoms, surface_basis(miller, atoms.cell.array)).repeat((1, 1, int(n_layers)))
    first, second, up = oriented.cell.array
    normal = np.cross(first, second) / np.linalg.norm(np.cross(first, second))
    thickness = float(up @ normal)
    bodies = bodies_of(oriented)
    middles = bodies.centres()
    heights = middles @ normal
    charges = _charges(bodies)
    cuts = _cuts(heights, thickness / n_layers)
    moves = [(0, None) if charges is None else _moves(charges, (heights - bottom) % thickness, thickness) for bottom, _ in cuts]
    if termination is None:
        termination = min(range(len(cuts)), key=lambda k: (round(abs(moves[k][1] or 0), 3), abs(moves[k][0]), -cuts[k][1]))
    if not 0 <= termination < len(cuts):
        raise ValueError(f"found termination {termination}, expected one of 0 to {len(cuts) - 1}; leave it out for the least polar")
    n_moved, dipole = moves[termination]
    layers = np.floor((heights - cuts[termination][0]) / thickness)
    layers[_outermost(charges, heights - layers * thickness, n_moved, rng)] += np.sign(n_moved)
    # into the cell of the surface, as wholes
    along = np.linalg.solve(np.stack([first, second, normal]).T, (middles - layers[:, None] * up).T)[:2].T
    steps = -layers[:, None] * up - np.floor(along + 1e-9) @ np.stack([first, second])
    placed = oriented.copy()
    placed.positions = bodies.positions + steps[bodies.of_atom]
    z = placed.positions @ normal
    placed.positions += (vacuum / 2 - z.min()) * normal
    placed.set_cell(np.stack([first, second, (np.ptp(z) + vacuum) * normal]))
    placed.set_cell(placed.cell.standard_form()[0], scale_atoms=True)
    placed.info = atoms.info | {
        "miller": list(miller),
        "n_layers": n_layers,
        "vacuum": vacuum,
        "termination": termination,
        "n_terminations": len(cuts),
        "n_moved": abs(n_moved),
        "dipole": dipole,
    }
    return placed


def surface_basis(miller: Sequence[int], cell: np.ndarray) -> np.ndarray:
    """(3, 3) int, rows: the two shortest lattice vectors of the plane, and of those to the next plane the one nearest to its normal.

    Args:
        miller: h, k, l of this cell, (3, 3) rows, Å.
    Raises:
        ValueError: not three whole numbers without a common divisor.
    """
    indices = np.array(miller)
    if indices.shape != (3,) or (indices != np.round(indices)).any() or np.gcd.reduce(indices.astype(int)) != 1:
        raise ValueError(f"found Miller indices {list(miller)}, expected three whole numbers without a common divisor; give [0, 2, 1], say")
    most = np.abs(indices).max() + 2
    steps = np.stack(np.meshgrid(*[np.arange(-most, most + 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
    lengths = np.linalg.norm(steps @ cell, axis=1)
    # of vectors of equal length the one with positive steps first
    steps = steps[np.lexsort((*(-steps.T), np.round(lengths, 6)))]
    within = steps[(steps @ indices == 0) & steps.any(1)]
    first = within[0]
    second = next(step for step in within if (np.abs(np.cross(first, step)) == np.abs(indices)).all())
    if np.cross(first, second) @ indices < 0:
        second = -second
    next_plane = steps[steps @ indices == 1]
    normal = np.cross(first @ cell, second @ cell)
    aside = np.linalg.norm(np.cross(next_plane @ cell, normal), axis=1)
    return np.stack([first, second, next_plane[np.round(aside, 6).argmin()]])


def _charges(bodies: Bodies) -> np.ndarray | None:
    """(n_bodies,) int, e; None where one is not known."""
    known = OF_ANION | OF_ION
    return np.array([known[kind] for kind in bodies.kinds]) if set(bodies.kinds) <= set(known) else None


def _cuts(heights: np.ndarray, period: float) -> list[tuple[float, float]]:
    """Heights midway between neighbouring levels of one layer, and the gaps there, Å."""
    levels = np.sort(heights % period)
    gaps = np.diff(np.append(levels, levels[0] + period))
    return [(float(level + gap / 2), float(gap)) for level, gap in zip(levels, gaps, strict=True) if gap > LEVEL]


def _moves(charges: np.ndarray, heights: np.ndarray, thickness: float) -> tuple[int, float]:
    """How many cations go from the upper surface to the lower one, or, negative, the other way; and the dipole that is left, e Å.

    A cation of charge q that is moved by the thickness to its place in the crystal below changes the dipole by q times the thickness, and
    that of neutral layers of a crystal is often a multiple of it. Those of the smallest charge go.
    """
    dipole, charge = float(charges @ heights), int(charges[charges > 0].min())
    n_moved = round(dipole / (charge * thickness))
    return n_moved, dipole - n_moved * charge * thickness


def _outermost(charges: np.ndarray | None, heights: np.ndarray, n_moved: int, rng: np.random.Generator) -> list[int]:
    """The cations of the smallest charge nearest to the surface that they leave; of a level, drawn ones."""
    if not n_moved:
        return []
    cations = rng.permutation(np.flatnonzero(charges == charges[charges > 0].min()))
    levels = np.round(heights[cations] / LEVEL) * -np.sign(n_moved)
    return cations[np.argsort(levels, kind="stable")][: abs(n_moved)].tolist()
