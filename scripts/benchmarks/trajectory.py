"""Time and room of a trajectory on disk, per atom and frame: the store at several precisions, beside extxyz and XTC.

`python scripts/benchmarks/trajectory.py`; a synthetic superionic conductor, where all atoms vibrate by 0.1 Å and a third of them hop.
Frames are appended one at a time, as a run does, and read in order.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import iread
from ase.io.extxyz import write_extxyz

from mlff.trajectory import Frames, Series, Trajectory, TrajectoryWriter
from mlff.trajectory.layout import PRECISION
from mlff.units import NM

HOP_RATE = 0.02  # per frame and mobile ion
HOP = 2.0  # Å
VIBRATION = 0.1  # Å
BETWEEN = 100  # steps
TIMESTEP = 1.0  # fs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, default=864)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement the fastest counts")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    atoms, frames = superionic(arguments.atoms, arguments.frames, rng)
    few = Frames(frames.steps[:100], frames.positions[:100], frames.cells[:100])  # text takes so long that these tell
    print(f"{arguments.atoms} atoms, {arguments.frames} frames, one append each; per atom and frame")
    print(f"{'':34} {'write, ns':>10} {'read, ns':>10} {'bytes':>7} {'error, Å':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for name, some, write, read in rows(atoms, frames, few, rng):
            row(name, some, write, read, Path(folder), arguments.rounds)


def superionic(n_atoms: int, n_frames: int, rng: np.random.Generator) -> tuple[Atoms, Frames]:
    """A constant cubic cell of 0.05 atoms per Å³; the first third of the atoms hops."""
    side = (n_atoms / 0.05) ** (1 / 3)
    atoms = Atoms("Li" * (n_atoms // 3) + "S" * (n_atoms - n_atoms // 3), rng.random((n_atoms, 3)) * side, cell=[side] * 3, pbc=True)
    sites = np.zeros((n_frames, n_atoms, 3))
    mobile = n_atoms // 3
    directions = rng.normal(size=(n_frames, mobile, 3))
    directions *= HOP / np.linalg.norm(directions, axis=-1, keepdims=True)
    sites[:, :mobile] = np.cumsum(directions * (rng.random((n_frames, mobile, 1)) < HOP_RATE), axis=0)
    positions = atoms.positions + sites + rng.normal(scale=VIBRATION, size=sites.shape)
    cells = np.broadcast_to(atoms.cell.array, (n_frames, 3, 3))
    return atoms, Frames(BETWEEN * np.arange(n_frames), positions, cells)


Row = tuple[str, Frames, Callable[[Path], None], Callable[[Path], Iterator[np.ndarray]]]


def rows(atoms: Atoms, frames: Frames, few: Frames, rng: np.random.Generator) -> Iterator[Row]:
    """(name, frames, how to write them, how to read their positions) of each form."""
    for precision in (PRECISION, 2.0**-13, 2.0**-20):
        default = ", the default" if precision == PRECISION else ""
        yield f"store, 2^{round(np.log2(precision))} Å{default}", frames, lambda path, p=precision: store(path, atoms, frames, p), stored
    velocities = rng.normal(scale=5e-3, size=frames.positions.shape).astype(np.float32)
    yield "store, with velocities", frames, lambda path: store(path, atoms, frames, PRECISION, velocities), stored
    yield "extxyz by ASE", few, lambda path: extxyz(path, atoms, few), lambda path: (frame.positions for frame in iread(path))
    try:
        from mdtraj.formats import XTCTrajectoryFile
    except ImportError:
        print("XTC: not measured, because mdtraj is not installed (pip install .[trajectory])")
        return

    def xtc(path: Path) -> None:
        with XTCTrajectoryFile(str(path), "w") as file:
            for k, step in enumerate(frames.steps):
                xyz, box = (np.asarray(array[k : k + 1] / NM, np.float32) for array in (frames.positions, frames.cells))
                file.write(xyz, time=np.array([step * TIMESTEP / 1000], np.float32), step=np.array([step], np.int32), box=box)

    def read_xtc(path: Path) -> Iterator[np.ndarray]:
        with XTCTrajectoryFile(str(path)) as file:
            while len(xyz := file.read(n_frames=100)[0]):
                yield xyz * NM

    yield "XTC by mdtraj", frames, xtc, read_xtc


def store(path: Path, atoms: Atoms, frames: Frames, precision: float, velocities: np.ndarray | None = None) -> None:
    with TrajectoryWriter.create(path, atoms, {"timestep": TIMESTEP}, precision=precision) as writer:
        for k in range(len(frames)):
            now = slice(k, k + 1)
            steps = frames.steps[now]
            series = {"thermo": Series(steps, {"temperature": np.array([300.0]), "potential_energy": np.array([-3.0])})}
            if velocities is not None:
                series["velocities"] = Series(steps, {"velocities": velocities[now]})
            writer.append(Frames(steps, frames.positions[now], frames.cells[now]), **series)


def stored(path: Path) -> Iterator[np.ndarray]:
    return (chunk.positions for chunk in Trajectory(path).chunks())


def extxyz(path: Path, atoms: Atoms, frames: Frames) -> None:
    with open(path, "w") as file:
        for positions in frames.positions:
            write_extxyz(file, [Atoms(atoms.numbers, positions, cell=atoms.cell, pbc=True)])


def row(name: str, frames: Frames, write: Callable, read: Callable, folder: Path, rounds: int) -> None:
    n = frames.positions.shape[0] * frames.positions.shape[1]
    written, taken = [], []
    for k in range(rounds):
        path = folder / f"{name.split()[0].strip(',')}_{k}_{time.monotonic_ns()}.{'xtc' if 'XTC' in name else 'extxyz'}"
        begin = time.perf_counter()
        write(path)
        written.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        for _ in read(path):
            pass
        taken.append(time.perf_counter() - begin)
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    room = sum(file.stat().st_size for file in files) / n
    found = np.concatenate([np.reshape(positions, (-1, *frames.positions.shape[1:])) for positions in read(path)])
    error = np.abs(found - frames.positions).max()
    print(f"{name:34} {1e9 * min(written) / n:10.1f} {1e9 * min(taken) / n:10.1f} {room:7.2f} {error:10.1e}", flush=True)


if __name__ == "__main__":
    main()
