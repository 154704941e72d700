"""Rigid bodies pushed off each other until no two atoms of different ones are too near."""

from dataclasses import replace

import numpy as np
from ase.data import chemical_symbols

from mlff.geometry import neighbor_list
from mlff.structure.bodies import Bodies

# FIRE (Phys. Rev. Lett. 97, 170201, 2006) with the energy ½ (r_min − r)² of each pair, in Å², and masses of 1 for each atom
LONGEST_STEP, FIRST_STEP = 0.35, 0.1  # time; a stiff contact of an atom with twelve others vibrates with 2π/√12 = 1.8
PATIENCE, FASTER, SLOWER, DAMPING, LESS_DAMPED = 5, 1.1, 0.5, 0.15, 0.99
MARGIN = 0.01  # of r_min, aimed at beyond it, because the last overlaps close ever more slowly


class Crowded(ValueError):
    """There is no room for the bodies, or they are jammed: another start may do."""


def pushed_off(bodies: Bodies, cell: np.ndarray, r_min: np.ndarray, rounds: int = 2000, held: np.ndarray | None = None) -> Bodies:
    """The bodies moved and turned as little as a soft repulsion between the atoms of different ones needs.

    Args:
        cell: (3, 3) rows, Å, periodic in all directions.
        r_min: (n_elements, n_elements), Å, by atomic numbers: what two atoms of different bodies keep.
        rounds: steps after which it is given up.
        held: (n_bodies,) bool, bodies that stay where they are; None: all may move.
    Raises:
        Crowded: there is no room, or this start leads nowhere.
    """
    body, size = bodies.of_atom, np.bincount(bodies.of_atom).astype(float)
    centres = bodies.centres()
    arms = bodies.positions - centres[body]
    # of a sphere that is as hard to turn; a single atom has nothing to turn
    inertia = np.maximum(2 / 3 * np.bincount(body, np.square(arms).sum(1)), 1e-12)
    linear, angular = np.zeros_like(centres), np.zeros_like(centres)
    step, damping, downhill = FIRST_STEP, DAMPING, 0
    for _ in range(rounds):
        positions = centres[body] + arms
        lack, forces = _overlaps(bodies, positions, cell, r_min)
        if lack <= 0:
            return replace(bodies, positions=positions)
        force, torque = _sums(body, forces), _sums(body, np.cross(arms, forces))
        if held is not None:
            force[held], torque[held] = 0, 0
        power = (force * linear).sum() + (torque * angular).sum()
        if power > 0:
            downhill += 1
            mixed = damping * np.sqrt(
                ((size * (linear**2).sum(1)).sum() + (inertia * (angular**2).sum(1)).sum())
                / ((force**2).sum(1) / size + (torque**2).sum(1) / inertia).sum()
            )
            linear = (1 - damping) * linear + mixed * force / size[:, None]
            angular = (1 - damping) * angular + mixed * torque / inertia[:, None]
            if downhill > PATIENCE:
                step, damping = min(step * FASTER, LONGEST_STEP), damping * LESS_DAMPED
        else:
            linear, angular, step, damping, downhill = 0 * linear, 0 * angular, step * SLOWER, DAMPING, 0
        linear += step * force / size[:, None]
        angular += step * torque / inertia[:, None]
        centres += step * linear
        arms = np.einsum("aij,aj->ai", _turns(step * angular)[body], arms)
    raise Crowded(
        f"{_worst(bodies, positions, cell, r_min)} after {rounds} steps; give more room (a lower density, or a gap), or remove more"
    )


def too_near(bodies: Bodies, positions: np.ndarray, cell: np.ndarray, r_min: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of atoms of different bodies nearer than r_min: (n_pairs, 2) int, r_j − r_i (n_pairs, 3), and what they lack (n_pairs,), Å."""
    present = np.unique(bodies.numbers)
    r_max = max(r_min[np.ix_(present, present)].max(), 1e-3)  # a list of neighbours wants more than zero
    (i, j), shifts = neighbor_list(positions, cell, [True] * 3, r_max, half=True)
    vectors = positions[j] + shifts @ cell - positions[i]
    lack = r_min[bodies.numbers[i], bodies.numbers[j]] - np.linalg.norm(vectors, axis=1)
    near = (lack > 0) & ((bodies.of_atom[i] != bodies.of_atom[j]) | shifts.any(1))
    return np.stack([i[near], j[near]], axis=1), vectors[near], lack[near]


def _overlaps(bodies: Bodies, positions: np.ndarray, cell: np.ndarray, r_min: np.ndarray) -> tuple[float, np.ndarray]:
    """The largest lack of a pair, without the margin, and the forces on all atoms."""
    pairs, vectors, lack = too_near(bodies, positions, cell, r_min * (1 + MARGIN))
    forces = np.zeros_like(positions)
    if not len(pairs):
        return 0.0, forces
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    push = lack[:, None] * vectors / np.maximum(length, 1e-9)
    for k in range(3):
        forces[:, k] = np.bincount(pairs[:, 1], push[:, k], len(forces)) - np.bincount(pairs[:, 0], push[:, k], len(forces))
    return float((lack - MARGIN * r_min[tuple(bodies.numbers[pairs].T)]).max()), forces


def _sums(body: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.stack([np.bincount(body, column) for column in values.T], axis=1)


def _turns(vectors: np.ndarray) -> np.ndarray:
    """Rotation matrices by vectors of axis and angle, (n, 3) → (n, 3, 3): Rodrigues' formula."""
    angle = np.linalg.norm(vectors, axis=1)[:, None, None]
    x, y, z = (vectors / np.maximum(angle[:, :, 0], 1e-12)).T
    nothing = np.zeros_like(x)
    cross = np.stack([nothing, -z, y, z, nothing, -x, -y, x, nothing], axis=1).reshape(-1, 3, 3)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _worst(bodies: Bodies, positions: np.ndarray, cell: np.ndarray, r_min: np.ndarray) -> str:
    pairs, vectors, lack = too_near(bodies, positions, cell, r_min)
    worst = int(np.argmax(lack))
    first, second = (chemical_symbols[z] for z in bodies.numbers[pairs[worst]])
    distance = np.linalg.norm(vectors[worst])
    return (
        f"found {len(pairs)} pairs of atoms too near each other, the worst {first} and {second}, {distance:.2f} Å apart, "
        f"expected {distance + lack[worst]:.2f} Å"
    )
