"""Voids of a crystal: the places furthest from all atoms."""

import numpy as np
from ase import Atoms
from ase.data import covalent_radii
from scipy.spatial import cKDTree

GRID = 0.4  # Å
ALIKE = 0.2  # Å; voids whose rooms differ by less are equally large
REACH = 8.0  # Å, from which images are looked at; no crystal has voids so wide


def room(atoms: Atoms, points: np.ndarray) -> np.ndarray:
    """Å from each of the points, (n, 3), to the surface of the nearest atom, a sphere of its covalent radius; negative inside."""
    cell = atoms.cell.array
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)
    most = np.ceil(REACH / heights).astype(int)
    steps = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in most], indexing="ij"), -1).reshape(-1, 3)
    inside = points - np.floor(points @ np.linalg.inv(cell)) @ cell
    places = atoms.positions - np.floor(atoms.get_scaled_positions(wrap=False)) @ cell
    nearest = np.full(len(points), np.inf)
    for number in np.unique(atoms.numbers):
        images = (places[atoms.numbers == number] + (steps @ cell)[:, None]).reshape(-1, 3)
        fractions = images @ np.linalg.inv(cell)
        near = (fractions * heights > -REACH).all(1) & ((fractions - 1) * heights < REACH).all(1)
        nearest = np.minimum(nearest, cKDTree(images[near]).query(inside)[0] - covalent_radii[number])
    return nearest


def largest_void(atoms: Atoms, rng: np.random.Generator) -> np.ndarray:
    """(3,), Å: the middle of the largest void; of those that are equally large, a drawn one."""
    divisions = np.ceil(atoms.cell.lengths() / GRID).astype(int)
    fractions = np.stack(np.meshgrid(*[np.arange(n) / n for n in divisions], indexing="ij"), -1).reshape(-1, 3)
    points = fractions @ atoms.cell.array
    rooms = room(atoms, points)
    point = points[rng.choice(np.flatnonzero(rooms > rooms.max() - ALIKE))]
    # uphill in steps that shrink: the room has edges where two atoms are equally near
    directions = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)
    step = GRID / 2
    while step > 1e-3:
        around = point + step * directions
        rooms = room(atoms, around)
        best = int(rooms.argmax())
        if rooms[best] > rooms[len(directions) // 2] + 1e-9:
            point = around[best]
        else:
            step /= 2
    return point
