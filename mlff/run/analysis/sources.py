"""Which trajectories are analysed, what each is of, and which of them are runs of one condition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.data import chemical_symbols

from mlff.analysis import System, mobile_ion
from mlff.analysis.system import CHARGES
from mlff.geometry.anion_motion import MODES, constrained_motions
from mlff.trajectory import Trajectory, open_trajectory
from mlff.units import PS

REPLICAS, TRAJECTORY = "replicas", "trajectory"  # in the folder of a run


@dataclass(frozen=True)
class Condition:
    """Trajectories of one condition differ in their seeds, or in the member of a committee that drove them.

    structure: its name, or the one given. temperature: K, None where not told. mode: of constraint.
    """

    structure: str
    temperature: float | None
    mode: str


@dataclass(frozen=True)
class Reading:
    """How files are read and what is said of them; each as in conf/analyze.yaml."""

    format: str | None = None
    timestep: float | None = None
    structure: str | None = None
    species: Sequence[str] | None = None
    mobile: str | None = None
    temperature: float | None = None
    skip: float | None = None
    rests: bool | None = None


@dataclass(frozen=True)
class Source:
    """One trajectory. name: unique among those analysed. driver: the member that drove it, −1 for the mean; None where there is none."""

    name: str
    paths: tuple[Path, ...]
    condition: Condition
    system: System
    first: int
    driver: int | None
    reading: Reading

    def open(self) -> Trajectory:
        """As it is now; a running simulation may have written more."""
        return _open(self.paths, self.reading)


def sources_of(given: str | Sequence[str] | Mapping[str, object], reading: Reading) -> list[Source]:
    """Every trajectory that is named by `given`; see conf/analyze.yaml.

    Raises:
        ValueError: nothing is there, or a trajectory has too few frames or too little is known of it.
    """
    named = dict(given) if isinstance(given, Mapping) else {"": given}
    found: list[Source] = []
    for label, paths in named.items():
        paths = tuple(Path(path) for path in ([paths] if isinstance(paths, str) else paths))
        replicas = _replicas(paths)
        for path in replicas or [paths]:
            found.append(_source(label, path, reading))
    names = [source.name for source in found]
    if same := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"found several trajectories named {', '.join(same)}; name them apart: trajectory={{first: …, second: …}}")
    order = list(dict.fromkeys(source.condition.structure for source in found))
    return sorted(found, key=lambda source: (order.index(source.condition.structure), *_place(source.condition)))


def _place(where: Condition) -> tuple[int, float]:
    """From free to held, from cold to warm."""
    modes = list(MODES)
    return modes.index(where.mode) if where.mode in modes else len(modes), where.temperature or 0.0


def _replicas(paths: tuple[Path, ...]) -> list[tuple[Path, ...]]:
    """The trajectories in the folder of a run; none where it is no such folder."""
    if len(paths) > 1 or not (paths[0] / REPLICAS).is_dir():
        return []
    found = sorted(folder / TRAJECTORY for folder in (paths[0] / REPLICAS).iterdir() if (folder / TRAJECTORY).is_dir())
    if not found:
        raise ValueError(f"{paths[0]}: found a run without any trajectory yet; let it reach its first checkpoint")
    return [(path,) for path in found]


def _source(label: str, paths: tuple[Path, ...], reading: Reading) -> Source:
    trajectory = _open(paths, reading)
    about = trajectory.about
    if not trajectory.pbc.all():
        free = ", ".join(axis for axis, periodic in zip("abc", trajectory.pbc, strict=True) if not periodic)
        raise ValueError(
            f"{paths[0]}: found an axis without periodicity ({free}), expected a cell that repeats along all three: densities, pairs and "
            "conductivities need its volume; write the file with its cell and pbc, or with the part of the cell that is filled"
        )
    first = _first_frame(trajectory, reading.skip)
    if trajectory.n_frames - first < 2:
        raise ValueError(
            f"{paths[0]}: found {trajectory.n_frames} frames, {first} of them before the part that is analysed, expected at least 2 there; "
            "let the run go on, or set `skip`"
        )
    replica = str(about.get("name", ""))
    name = "_".join(part for part in (label, replica or ("" if label else paths[0].stem)) if part)
    temperature = reading.temperature if reading.temperature is not None else about.get("temperature")
    structure = label or str(about.get("structure") or paths[0].stem)
    condition = Condition(structure, None if temperature is None else float(temperature), str(about.get("mode", "UC")))
    driver = about.get("driver")
    return Source(name, paths, condition, _system(trajectory, first, reading, temperature), first, driver, reading)


def _open(paths: tuple[Path, ...], reading: Reading) -> Trajectory:
    if paths[0].is_dir():
        return open_trajectory(list(paths))
    asked = {"format": reading.format, "timestep": reading.timestep, "structure": reading.structure, "species": reading.species}
    return open_trajectory(list(paths), **asked)


def _system(trajectory: Trajectory, first: int, reading: Reading, temperature: float | None) -> System:
    symbols = tuple(chemical_symbols[z] for z in trajectory.numbers)
    mobile = mobile_ion(symbols, reading.mobile)
    frames = next(trajectory.chunks(first, first + 1))
    velocity_steps = trajectory.series_steps("velocities") if "velocities" in trajectory.series_names else np.zeros(0, np.int64)
    return System(
        symbols=symbols,
        masses=trajectory.masses,
        positions=frames.positions[0],
        cell=frames.cells[0],
        mobile=mobile,
        timestep=float(trajectory.about["timestep"]),
        interval=int(trajectory.steps[first + 1] - trajectory.steps[first]),
        velocity_interval=int(velocity_steps[-1] - velocity_steps[-2]) if len(velocity_steps) > 1 else None,
        n_frames=trajectory.n_frames - first,
        pbc=trajectory.pbc,
        charge=float(CHARGES.get(mobile, 1)),
        temperature=None if temperature is None else float(temperature),
        rests=_rests(trajectory.about) if reading.rests is None else reading.rests,
    )


def _first_frame(trajectory: Trajectory, skip: float | None) -> int:
    """Of what is analysed: after so many ps, or of the last recorded stage."""
    if skip is not None:
        return int(np.searchsorted(trajectory.times - trajectory.times[:1], skip * PS)) if trajectory.n_frames else 0
    recorded = [stage for stage in trajectory.about.get("stages", []) if stage["recorded"]]
    return int(np.searchsorted(trajectory.steps, recorded[-1]["first_step"])) if recorded else 0


def _rests(about: Mapping) -> bool:
    """Whether the last recorded stage conserves the total momentum; unknown is no."""
    recorded = [stage for stage in about.get("stages", []) if stage["recorded"]]
    return bool(recorded) and bool(recorded[-1].get("conserves_momentum")) and "T" not in constrained_motions(str(about.get("mode", "UC")))
