"""Frames to label: short Langevin runs of strained crystals, one file per trajectory."""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms, units
from ase.io import read, write
from ase.md.langevin import Langevin

from mlff.structure.strain import DRAWN, deformed, drawn_strain
from mlff.whole_file import written_whole


def sample_frames(
    calculator,
    structure: Mapping[str, object],
    temperatures: Sequence[float],
    trajectories: Sequence[int],
    output: str | Path,
    n_frames: int = 6,
    n_warmup: int = 30,
    n_between: int = 30,
    timestep: float = 2.0,
    friction: float = 0.02,
    max_strain: float = 0.04,
    seed: int = 0,
) -> list[Path]:
    """Run one trajectory per temperature and number, and write each to its own extxyz file; finished ones are kept.

    Args:
        calculator: returns a fresh ASE calculator (an oracle's `make`).
        structure: {"name", "config_type", "file", "repeat": three integers}.
        temperatures: K; trajectories: their numbers, part of each one's name and seed.
        output: folder of the files.
        n_frames: frames kept; n_warmup: steps before the first; n_between: steps from one to the next.
        timestep: fs; friction: 1/fs.
        max_strain: of the cell's lengths and shears, each trajectory its own strain.
    Returns:
        the files, in the order of the runs.
    """
    cell = read(structure["file"]).repeat(tuple(structure["repeat"]))
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number in trajectories:
        for temperature in temperatures:
            name = f"{structure['name']}-{temperature:g}K-{number:02d}"
            path = folder / f"{name}.extxyz"
            files.append(path)
            if path.exists():
                continue
            # the seed follows from the name, so that adding trajectories changes no other one
            rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
            kind = DRAWN[number % len(DRAWN)]
            atoms = deformed(cell, np.eye(3) + drawn_strain(kind, max_strain, rng))
            frames = langevin(atoms, calculator(), temperature, n_frames, n_warmup, n_between, timestep, friction, rng)
            for frame in frames:
                frame.info = {
                    "config_type": structure["config_type"],
                    "structure": structure["name"],
                    "temperature": float(temperature),
                    "trajectory": name,
                    "strain": kind,
                }
            with written_whole(path) as file:  # a file that exists is a finished trajectory
                write(file, frames, format="extxyz")
            print(f"{path.name}: {len(frames)} frames", flush=True)
    return files


def langevin(
    atoms: Atoms,
    calculator,
    temperature: float,
    n_frames: int,
    n_warmup: int,
    n_between: int,
    timestep: float,
    friction: float,
    rng: np.random.Generator,
) -> list[Atoms]:
    """Frames of one NVT run. The start is rattled and hot: half of the kinetic energy goes into the springs within a few oscillations."""
    atoms = atoms.copy()
    atoms.positions += rng.normal(scale=0.05 * np.sqrt(temperature / 300.0), size=atoms.positions.shape)
    atoms.calc = calculator
    atoms.set_momenta(rng.normal(scale=np.sqrt(1.3 * units.kB * temperature * atoms.get_masses())[:, None], size=atoms.positions.shape))
    dynamics = Langevin(atoms, timestep * units.fs, temperature_K=temperature, friction=friction / units.fs, rng=rng, fixcm=False)
    frames = []
    for number in range(n_frames):
        dynamics.run(n_between if number else n_warmup)
        frames.append(Atoms(numbers=atoms.numbers, positions=atoms.get_positions(), cell=atoms.cell, pbc=atoms.pbc))
    return frames
