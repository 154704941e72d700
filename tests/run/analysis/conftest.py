"""A small run of replicas: walkers among standing sulphur, as a simulation leaves them."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from mlff.trajectory import Frames, TrajectoryWriter

SYMBOLS = ["Li"] * 12 + ["S"] * 6
SIDE = 10.0
EVERY, TIMESTEP = 50, 2.0  # steps, fs


def write_replica(
    folder: Path, name: str, diffusivity: float, seed: int, n_frames: int = 600, keep: int | None = None, **about: object
) -> None:
    """Gaussian walkers of a diffusivity, cm²/s; keep: the first frames only, as of a run that goes on."""
    rng = np.random.default_rng(seed)
    step = np.sqrt(2 * diffusivity * 10.0 * EVERY * TIMESTEP)  # 1 cm²/s = 10 Å²/fs
    positions = SIDE * rng.random((len(SYMBOLS), 3)) + np.zeros((n_frames, 1, 3))
    positions[:, :12] += step * rng.normal(size=(n_frames, 12, 3)).cumsum(0)
    stages = [
        {"name": "equilibration", "first_step": 1, "last_step": 0, "ensemble": "CSVR", "conserves_momentum": True, "recorded": False},
        {"name": "production", "first_step": 0, "last_step": 10**9, "ensemble": "CSVR", "conserves_momentum": True, "recorded": True},
    ]
    words = {"timestep": TIMESTEP, "name": name, "structure": "LiS", "mode": "UC", "driver": -1, "stages": stages} | about
    path = folder / "replicas" / name / "trajectory"
    frames = Frames(EVERY * np.arange(n_frames), positions, np.broadcast_to(SIDE * np.eye(3), (n_frames, 3, 3)))
    begun = path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    if begun:
        writer = TrajectoryWriter.open(path, 10**12)
        first = int(np.searchsorted(frames.steps, writer._last["frames"], side="right"))
    else:
        writer, first = TrajectoryWriter.create(path, Atoms(SYMBOLS, positions[0], cell=SIDE * np.eye(3), pbc=True), words), 0
    with writer:
        part = slice(first, keep)
        writer.append(Frames(frames.steps[part], frames.positions[part], frames.cells[part]))


@pytest.fixture
def run(tmp_path) -> Path:
    """Two temperatures, at the lower one two seeds."""
    folder = tmp_path / "run"
    write_replica(folder, "LiS_600K_seed0", 2e-5, 0, temperature=600.0)
    write_replica(folder, "LiS_600K_seed1", 2e-5, 1, temperature=600.0)
    write_replica(folder, "LiS_900K_seed0", 8e-5, 2, temperature=900.0)
    return folder
