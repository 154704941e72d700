"""Grain boundaries at coincidence sites: a crystal, and the same crystal turned, in one periodic cell with two boundaries."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.structure.bicrystal import box_of, grain, stacked
from mlff.structure.bodies import Bodies, bodies_of
from mlff.structure.build import crystal
from mlff.structure.charge import formal_charge
from mlff.structure.coincidence import boundary_cell
from mlff.structure.distances import contact_distances
from mlff.structure.formula_units import formula_unit, without_overlaps
from mlff.structure.push_off import pushed_off, too_near
from mlff.structure.regions import REGIONS, region_of

CUTS = 20  # a layer of ions of Li6PS5Cl is 1 Å, as is a step of a twentieth
BELOW_OWN = 0.98  # of a crystal's own contacts that are shorter than others': the margin of the push-off stays below them


def grain_boundary(
    structure: str | Path | Atoms,
    sigma: int = 5,
    axis: Sequence[int] = (1, 0, 0),
    plane: Sequence[int] = (0, 2, 1),
    angle: float | None = None,
    thickness: float = 10.0,
    repeat: Sequence[int] = (1, 1),
    shift: Sequence[float] = (0.0, 0.0),
    cut: float | None = None,
    gap: float = 0.0,
    overlap: float = 0.5,
    slab: float = 10.0,
    *,
    rng: np.random.Generator,
) -> Atoms:
    """Tilt (the axis lies in the plane), twist (it is the plane's normal), or mixed; two boundaries, at z = 0 and half of the cell.

    Each grain holds a whole number of the crystal's cells. Anions are kept whole. Ions of the two grains that are too near each other at a
    boundary are removed as whole formula units where they overlap by much, and pushed apart as rigid bodies where they do by little.

    Args:
        structure: a cubic crystal (or a tetragonal one, turned about its fourfold axis) as `crystal` takes it, such as one cell or a
            disordered supercell; Miller indices are of its cell.
        sigma, axis, plane, angle: one in sigma lattice points coincides; [uvw] and (hkl) of the first grain; degrees, where several turns
            have this sigma (None: the smallest of the smallest period).
        thickness: Å, of a grain at least; a whole number of periods is taken.
        repeat: periods along the two directions of the boundary.
        shift: of the second grain along these directions, fractions of one period.
        cut: where each grain begins, as a fraction of its period along the normal: which atomic layers meet. None: of CUTS places the
            one with the least overlap.
        gap: Å added to the cell at each boundary.
        overlap: ions of two grains nearer than this share of their contact distance are removed, and what makes it whole formula units.
        slab: Å, width of the regions by distance from the nearest boundary.
    Returns:
        periodic atoms; the boundary spans x and y. `arrays` holds grain (0 or 1) and region (an index of `info["regions"]`), both the
        same for all atoms of an anion. `info` holds sigma, axis, plane, angle, second_plane, boundary (tilt, twist, mixed), shift, cut,
        removed_units (formula units), regions and charge.
    Raises:
        ValueError: no such turn, a crystal that it does not bring to coincidence, or no room at the boundary.
    """
    single = crystal(structure, rng=rng)
    period = boundary_cell(sigma, axis, plane, angle)
    box = box_of(single.cell.array, period)
    times = np.array([*repeat, max(1, int(np.ceil(thickness / box[2, 2] - 1e-6)))])
    if len(times) != 3 or (times < 1).any():
        raise ValueError(f"found repeat {list(repeat)}, expected two whole numbers of at least 1; give the periods along the boundary")
    whole = bodies_of(single)
    r_min = _contacts(whole, single.cell.array)

    def placed(cut: float) -> tuple[Bodies, np.ndarray]:
        moves = (np.array([0.0, 0.0, cut]), np.array([*shift, cut]))
        grains = [
            grain(whole, single.cell.array, matrix * times[:, None], box * times[:, None], move / times)
            for matrix, move in zip((period.first, period.second), moves, strict=True)
        ]
        return stacked(grains, box * times[:, None], gap)

    severe = overlap * contact_distances()
    if cut is None:  # least of what would be removed, then of what would be pushed
        cut = min(np.arange(CUTS) / CUTS, key=lambda trial: [_overlap(*placed(trial), limit) for limit in (severe, r_min)])
    bodies, cell = placed(cut)
    label = np.repeat([0, 1], len(bodies.kinds) // 2)
    kept, units = without_overlaps(bodies, cell, severe, formula_unit(whole.kinds))
    bodies = pushed_off(bodies.chosen(np.flatnonzero(kept)), cell, r_min)
    atoms = Atoms(bodies.numbers, bodies.positions, cell=cell, pbc=True)
    atoms.arrays |= {"grain": label[kept][bodies.of_atom], "region": region_of(bodies.centres()[:, 2], cell[2, 2], slab)[bodies.of_atom]}
    charge, unknown = formal_charge(atoms)
    inclined = np.dot(axis, plane) != 0
    atoms.info = {
        **{key: single.info[key] for key in ("prototype", "preset", "file", "reference") if key in single.info},
        "sigma": sigma,
        "axis": [int(x) for x in axis],
        "plane": [int(x) for x in plane],
        "second_plane": (period.second[2] // np.gcd.reduce(period.second[2])).tolist(),
        "angle": period.rotation.angle,
        "boundary": ("mixed" if np.cross(axis, plane).any() else "twist") if inclined else "tilt",
        "shift": [float(x) for x in shift],
        "cut": float(cut),
        "removed_units": units,
        "regions": list(REGIONS),
        "charge": None if unknown else charge,
    }
    return atoms


def _overlap(bodies: Bodies, cell: np.ndarray, r_min: np.ndarray) -> float:
    """Σ (r_min − r)² over what is too near, Å²."""
    return float(np.square(too_near(bodies, bodies.positions, cell, r_min)[2]).sum())


def _contacts(whole: Bodies, cell: np.ndarray) -> np.ndarray:
    """Contact distances that no pair of the crystal itself falls short of, so that away from the boundaries nothing moves."""
    r_min = contact_distances()
    pairs, vectors, _ = too_near(whole, whole.positions, cell, r_min)
    for (first, second), distance in zip(whole.numbers[pairs], np.linalg.norm(vectors, axis=1), strict=True):
        r_min[first, second] = r_min[second, first] = min(r_min[first, second], BELOW_OWN * distance)
    return r_min
