"""Every observable of conf/observable, and a small system on which each of them has something to see."""

from pathlib import Path

import numpy as np
from hydra.utils import instantiate
from omegaconf import OmegaConf

from mlff.analysis import Accumulator, System
from mlff.trajectory import Frames, Series

FOLDER = Path(__file__).parents[2] / "conf" / "observable"
SYMBOLS = ("P", "S", "S", "S", "S", "P", "S", "S", "S", "S", *["Li"] * 6)
MASSES = {"P": 30.974, "S": 32.06, "Li": 6.94}
CELL = np.array([[12.0, 0, 0], [2.0, 11.0, 0], [-1.0, 3.0, 13.0]])
CENTRES = np.array([[0.25, 0.25, 0.25], [0.7, 0.75, 0.7]])
TETRAHEDRON = 2.05 / np.sqrt(3) * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
N_FRAMES = 3000  # more than a block of any cascade
TIMESTEP, INTERVAL = 2.0, 5


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def make(name: str, system: System) -> Accumulator:
    """With the settings of its configuration file, but for the refusal of a liquid, which the lithium below is."""
    settings = OmegaConf.load(FOLDER / f"{name}.yaml")
    if name == "hops":
        settings.contrast = 0.0
    return instantiate(settings)(system)


def walk(rng: np.random.Generator) -> tuple[System, Frames, Series]:
    """PS4 that turn and vibrate among lithium that walks, in a skewed cell that fluctuates; velocities at every frame.

    No physics holds together here: it is for laws that any trajectory obeys.
    """
    turns = rotations(0.03 * rng.normal(size=(N_FRAMES, 2, 3)).cumsum(0))
    anions = np.concatenate([np.zeros((N_FRAMES, 2, 1, 3)), np.einsum("tnab,kb->tnka", turns, TETRAHEDRON)], axis=2)
    cells = CELL @ (np.eye(3) + 0.002 * rng.normal(size=(N_FRAMES, 3, 3)))
    start = np.array([[0.5, 0.1, 0.1], [0.1, 0.6, 0.1], [0.1, 0.1, 0.6], [0.5, 0.5, 0.5], [0.9, 0.4, 0.9], [0.4, 0.9, 0.4]])
    ions = (start + 0.02 * rng.normal(size=(N_FRAMES, 6, 3)).cumsum(0)) @ cells
    bodies = (CENTRES @ cells)[:, :, None] + anions + 0.05 * rng.normal(size=anions.shape)
    positions = np.concatenate([bodies.reshape(N_FRAMES, 10, 3), ions], axis=1)
    steps = INTERVAL * np.arange(N_FRAMES)
    velocities = np.float32(0.01 * rng.normal(size=positions.shape))
    return system_of(positions[0], cells[0]), Frames(steps, positions, cells), Series(steps, {"velocities": velocities})


def system_of(positions: np.ndarray, cell: np.ndarray, symbols: tuple[str, ...] = SYMBOLS) -> System:
    masses = np.array([MASSES[symbol] for symbol in symbols])
    return System(symbols, masses, positions, cell, "Li", TIMESTEP, INTERVAL, INTERVAL, N_FRAMES, temperature=600.0, rests=True)


def rotations(vectors: np.ndarray) -> np.ndarray:
    """Rotation vectors (…, 3), rad → matrices (…, 3, 3), by Rodrigues' formula."""
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(vectors / np.maximum(angle[..., 0], 1e-300), -1, 0)
    zero = np.zeros_like(x)
    k = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*x.shape, 3, 3)
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)
