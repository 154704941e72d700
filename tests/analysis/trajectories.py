"""Synthetic trajectories whose answers are known."""

import numpy as np

from mlff.analysis import Displacements, MeanSquareDisplacement
from mlff.trajectory import Frames
from mlff.units import CM2_PER_S

CELL = np.array([[20.0, 0.0, 0.0], [3.0, 18.0, 0.0], [-4.0, 5.0, 22.0]])
DT = 100.0  # fs, between frames


def frames_of(positions: np.ndarray, cells: np.ndarray = CELL, every: int = 1) -> Frames:
    """Frames `every` steps apart, from step 0, in one cell or in one cell each."""
    return Frames(every * np.arange(len(positions)), positions, np.broadcast_to(cells, (len(positions), 3, 3)))


def displacements_of(*runs: np.ndarray, cells: np.ndarray = CELL, drift: np.ndarray | None = None) -> Displacements:
    """Of all atoms of independent runs, DT apart."""
    first, *others = [MeanSquareDisplacement(np.arange(run.shape[1]), DT, drift) for run in runs]
    for accumulator, run in zip([first, *others], runs, strict=True):
        accumulator.update(frames_of(run, cells))
    for other in others:
        first.merge(other)
    return first.result()


def brownian(rng: np.random.Generator, n_frames: int, n_ions: int, diffusivity: float) -> np.ndarray:
    """Independent Gaussian steps; cm²/s → (n_frames, n_ions, 3), Å."""
    steps = np.sqrt(2 * diffusivity * CM2_PER_S * DT) * rng.normal(size=(n_frames, n_ions, 3))
    return steps.cumsum(0)


def rare_jumps(rng: np.random.Generator, n_frames: int, n_ions: int, diffusivity: float, length: float = 3.0) -> np.ndarray:
    """Poisson jumps of one length in random directions, and a vibration of 0.2 Å."""
    jumps = rng.random((n_frames, n_ions, 1)) < 6 * diffusivity * CM2_PER_S * DT / length**2
    direction = rng.normal(size=(n_frames, n_ions, 3))
    direction *= length / np.linalg.norm(direction, axis=-1, keepdims=True)
    return (jumps * direction).cumsum(0) + 0.2 * rng.normal(size=(n_frames, n_ions, 3))
