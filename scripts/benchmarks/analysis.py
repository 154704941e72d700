"""Time and memory of all observables of a trajectory in one pass, on a lattice gas among vibrating anions that is written to disk first.

`python scripts/benchmarks/analysis.py --frames 50000`: 1,000 atoms (80 PS4, 600 Li on 640 sites), velocities at every frame; ns of
processor time per atom and entry of each observable, seconds in all on two threads, the largest memory, and what a million frames would
take. `--observables msd hops` picks some.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from ase import Atoms
from hydra.utils import instantiate
from omegaconf import OmegaConf
from tqdm import tqdm

from mlff.analysis import NotApplicable, System
from mlff.analysis.streaming import Pass
from mlff.trajectory import Frames, Series, Trajectory, TrajectoryWriter

OBSERVABLES = Path(__file__).parents[2] / "conf" / "observable"
GRID, SPACING = np.array([5, 4, 4]), 6.5  # anions, and Å between them
N_LI = 600
TETRAHEDRON = 2.05 / np.sqrt(3) * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
CELL = np.diag(GRID * SPACING)
INTERVAL, TIMESTEP = 5, 2.0  # steps, fs
AT_ONCE = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=50_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--observables", nargs="*", default=sorted(path.stem for path in OBSERVABLES.glob("*.yaml")))
    parser.add_argument("--trajectory", type=Path, help="folder that is kept, and used again where it is there; default: a temporary one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = given.trajectory or Path(folder) / "trajectory"
        if not path.exists():
            write(path, given.frames)
        report(Trajectory(path), given.observables, given.threads)


def write(path: Path, n_frames: int) -> None:
    """Ions jump to vacant neighbouring sites, all atoms vibrate with a memory of some frames."""
    rng = np.random.default_rng(0)
    corners = np.stack(np.meshgrid(*(np.arange(n) for n in GRID), indexing="ij"), axis=-1).reshape(-1, 3)
    quarters = np.stack(np.meshgrid(*[[0.25, 0.75]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    sites = (corners[:, None] + quarters).reshape(-1, 3) * SPACING
    turns = np.linalg.qr(rng.normal(size=(len(corners), 3, 3)))[0]
    anions = (corners * SPACING)[:, None] + np.concatenate([np.zeros((len(corners), 1, 3)), TETRAHEDRON @ turns], axis=1)
    away = sites[:, None] - sites
    away -= np.rint(away / np.diag(CELL)) * np.diag(CELL)
    neighbours = np.argsort((away**2).sum(-1), axis=1)[:, 1:7]
    place = rng.permutation(len(sites))[:N_LI]
    taken = np.zeros(len(sites), bool)
    taken[place] = True
    standing = np.concatenate([anions.reshape(-1, 3), sites[place]])
    n_anion_atoms, n = anions.shape[0] * 5, len(standing)
    symbols = ["P", "S", "S", "S", "S"] * len(corners) + ["Li"] * N_LI
    shake = 0.12 * rng.normal(size=(n, 3))
    atoms = Atoms(symbols, standing, cell=CELL, pbc=True)
    with TrajectoryWriter.create(path, atoms, {"timestep": TIMESTEP}) as writer, tqdm(total=n_frames, unit="frame", desc="write") as bar:
        for begin in range(0, n_frames, AT_ONCE):
            positions = np.empty((min(AT_ONCE, n_frames - begin), n, 3))
            for frame in positions:
                for ion in rng.integers(N_LI, size=2):
                    goal = neighbours[place[ion], rng.integers(6)]
                    if not taken[goal]:
                        taken[place[ion]], taken[goal] = False, True
                        standing[n_anion_atoms + ion] += away[goal, place[ion]]
                        place[ion] = goal
                shake = 0.9 * shake + 0.12 * np.sqrt(1 - 0.81) * rng.normal(size=(n, 3))
                np.add(standing, shake, out=frame)
            steps = INTERVAL * np.arange(begin, begin + len(positions))
            velocities = np.float32(0.003 * rng.normal(size=positions.shape))
            frames = Frames(steps, positions, np.broadcast_to(CELL, (len(positions), 3, 3)))
            writer.append(frames, velocities=Series(steps, {"velocities": velocities}))
            bar.update(len(positions))


def report(trajectory: Trajectory, names: list[str], threads: int) -> None:
    first = next(trajectory.chunks(0, 1))
    system = System(
        tuple(atom.symbol for atom in trajectory[0]),
        trajectory.masses,
        first.positions[0],
        first.cells[0],
        "Li",
        TIMESTEP,
        INTERVAL,
        INTERVAL,
        trajectory.n_frames,
        temperature=600.0,
        rests=True,
    )
    accumulators = {}
    for name in names:
        try:
            accumulators[name] = instantiate(OmegaConf.load(OBSERVABLES / f"{name}.yaml"))(system)
        except NotApplicable as reason:
            print(f"{name} is left out: {reason}")
    warm = Pass({name: instantiate(OmegaConf.load(OBSERVABLES / f"{name}.yaml"))(system) for name in accumulators})
    warm_up(warm, trajectory)
    reading = Pass(accumulators)
    begin = time.perf_counter()
    with tqdm(total=reading.left(trajectory), unit="frame", desc="analyse") as bar:
        reading.run(trajectory, threads, progress=bar.update)
    seconds = time.perf_counter() - begin
    entries, n_atoms = reading.done, trajectory.n_atoms
    results = {}
    for name, accumulator in accumulators.items():
        start = time.perf_counter()
        accumulator.result()
        results[name] = time.perf_counter() - start
    print(f"\n{n_atoms} atoms, {trajectory.n_frames} frames\n{'observable':24}{'ns per atom and frame':>24}{'s for the result':>20}")
    for name, used in sorted(reading.seconds.items(), key=lambda item: -item[1]):
        print(f"{name:24}{1e9 * used / (n_atoms * entries[accumulators[name].reads]):24.1f}{results[name]:20.2f}")
    print(f"{'all, reading included':24}{1e9 * seconds / (n_atoms * trajectory.n_frames):24.1f}{sum(results.values()):20.2f}")
    print(f"\n{seconds:.1f} s on {threads} threads; {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB at most")
    # what is counted in a fixed number of frames takes as long in a longer run
    fixed = sum(used for name, used in reading.seconds.items() if getattr(accumulators[name], "stride", 1) > 1)
    share = fixed / sum(reading.seconds.values())
    times = seconds * 1e6 / trajectory.n_frames
    longer = seconds * share + (1 - share) * times
    print(f"a million frames of as many atoms: {longer / 60:.1f} minutes, {times / 60:.1f} if all grew with them")


def warm_up(warm: Pass, trajectory: Trajectory) -> None:
    """Compiles what is compiled when first called."""
    for accumulator in warm.accumulators.values():
        if accumulator.reads == "frames":
            accumulator.update(next(trajectory.chunks(0, 200, size=200)))
        else:
            accumulator.update(next(trajectory.series_chunks(accumulator.reads, 0, 200, size=200)))


if __name__ == "__main__":
    main()
