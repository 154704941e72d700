"""Anions that turn as told, in a skewed cell that cuts them, with every atom wrapped anew in every frame."""

import numpy as np

from mlff.analysis import System
from mlff.trajectory import Frames
from tests.contracts.observables import TETRAHEDRON, rotations

CELL = np.array([[19.0, 0.0, 0.0], [3.0, 18.0, 0.0], [-5.0, 6.0, 19.0]])
MASSES = {"P": 30.974, "S": 32.06, "B": 10.81, "H": 1.008, "Li": 6.94, "Ag": 107.87, "I": 126.9}
PS4 = (("P", "S", "S", "S", "S"), np.concatenate([np.zeros((1, 3)), TETRAHEDRON]))
PLACES = np.array([[0.02, 0.98, 0.5], [0.5, 0.5, 0.01], [0.97, 0.5, 0.5], [0.5, 0.01, 0.99]])  # of centres, mostly at faces of the cell


def tripod(height: float, radius: float, turn: float) -> np.ndarray:
    """Three ligands below a point on the z axis."""
    angle = np.radians(turn + np.array([0, 120, 240]))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full(3, height)], axis=1)


# ethane-like, with its axis along z, and two tetrahedra that share the third atom
P2S6 = (("P", "P") + 6 * ("S",), np.concatenate([[[0, 0, 1.1], [0, 0, -1.1]], tripod(1.75, 1.9, 0), tripod(-1.75, 1.9, 60)]))
P2S7 = (("P", "P") + 7 * ("S",), np.concatenate([[[0, 0, 2.05], [0, 0, -2.05], [0, 0, 0]], tripod(2.73, 1.93, 0), tripod(-2.73, 1.93, 60)]))


def trajectory(
    rng,
    turns: np.ndarray,
    anion=PS4,
    cells: np.ndarray = CELL,
    places: np.ndarray = PLACES,
    temperature: float | None = None,
    dt: float = 10.0,
):
    """(System, Frames dt fs apart) of one anion per place, turned by matrices (n_frames, n_anions, 3, 3), and one lithium."""
    symbols, template = anion
    n_frames, n = turns.shape[:2]
    cells = np.broadcast_to(cells, (n_frames, 3, 3))
    bodies = (places[:n] @ cells)[:, :, None] + np.einsum("tnab,kb->tnka", turns, template)
    ions = np.full((n_frames, 1, 3), 0.25) @ cells
    positions = np.concatenate([bodies.reshape(n_frames, -1, 3), ions], axis=1)
    symbols = symbols * n + ("Li",)
    system = System(
        symbols, np.array([MASSES[s] for s in symbols]), positions[0], cells[0], "Li", dt, n_frames=n_frames, temperature=temperature
    )
    wrapped = positions + rng.integers(-2, 3, size=positions.shape) @ cells
    return system, Frames(np.arange(n_frames), wrapped, cells)


def about(axis, degrees: np.ndarray) -> np.ndarray:
    """Turns (…, 3, 3) about one axis, of angles (…)."""
    axis = np.asarray(axis, float) / np.linalg.norm(axis)
    return rotations(np.radians(degrees)[..., None] * axis)


def diffusing(rng, n_frames: int, n: int, diffusivity: float, dt: float) -> np.ndarray:
    """Turns (n_frames, n, 3, 3) of bodies that diffuse: steps of variance 2 D_r dt about each axis; diffusivity in rad²/fs."""
    steps = rotations(np.sqrt(2 * diffusivity * dt) * rng.normal(size=(n_frames, n, 3)))
    turns = np.empty_like(steps)
    turns[0] = rotations(np.pi * rng.normal(size=(n, 3)))
    for t in range(1, n_frames):
        turns[t] = steps[t] @ turns[t - 1]
    return turns
