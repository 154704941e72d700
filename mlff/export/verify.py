"""An exported model beside its own golden frames: what an engine answers, and whether its dynamics conserve energy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ase import Atoms, units

from mlff.artefact import Golden
from mlff.export.engine import Answer, Engine, export

TEMPERATURE = 300.0  # K, of the velocities that dynamics begin with
TIMESTEP = 1.0  # fs


@dataclass(frozen=True)
class Tolerance:
    """Largest deviations that rounding explains.

    energy: eV/atom. forces: eV/Å, of a component. stress: eV/Å³, of a component. drift: eV/atom/ps.
    """

    energy: float
    forces: float
    stress: float
    drift: float


TOLERANCES = {
    # The shipped model in ASE differs by 1e-14 eV/Å from sums in another order. 1e-6 leaves room for programs of other units and
    # for text files; a pair left out, or a wrong sign or E0, shows from 1e-4 on.
    "float64": Tolerance(energy=1e-6, forces=1e-6, stress=1e-7, drift=5e-3),
    # Features are rounded by 6e-8 of themselves: for the shipped model 4e-7 eV/atom, 4e-6 eV/Å and 2e-8 eV/Å³; others sum more.
    "float32": Tolerance(energy=1e-5, forces=2e-4, stress=1e-6, drift=5e-3),
    # drift: that model's is 4e-5 over 200 steps of 1 fs, and the Verlet energy itself sways by some 1e-4 eV/atom
}
BY_DIFFERENCES = {"float64": 1e-7, "float32": 2e-5}  # eV/Å³, of such a stress: for the shipped model 4e-11 and 5e-6
UNITS = {"energy": "eV/atom", "forces": "eV/Å", "stress": "eV/Å³"}


@dataclass(frozen=True)
class Verification:
    """What one engine is off by on the golden frames, the largest of each; `Tolerance` has the units.

    problems: a sentence for each that exceeds its tolerance.
    """

    energy: float
    forces: float
    stress: float
    drift: float
    problems: tuple[str, ...]


def verify(name: str, engine: Engine, artefact: Path, golden: Sequence[Golden], folder: Path, n_steps: int) -> Verification:
    """Export an artefact to an engine, replay its golden frames in it, and run dynamics of the first.

    Args:
        name: of the engine, for the sentences.
        golden: of the artefact, at least one.
        folder: where to write what the engine loads.
        n_steps: of 1 fs, for the drift of the total energy; at least 10.
    Raises:
        ValueError: n_steps is too small, or the engine's answers or energies are not as many as they should be.
    """
    if n_steps < 10:
        raise ValueError(f"n_steps is {n_steps}, expected at least 10 to fit a drift to")
    export(engine, artefact, folder)
    answers = engine.answers(folder, [frame.atoms for frame in golden])
    tolerance = TOLERANCES[engine.dtype]
    if engine.stress_by_differences:
        tolerance = replace(tolerance, stress=BY_DIFFERENCES[engine.dtype])
    total = engine.nve(folder, at_temperature(golden[0].atoms, TEMPERATURE), TIMESTEP, n_steps)
    if len(total) != n_steps + 1:
        raise ValueError(f"{name} gave {len(total)} energies of {n_steps} steps, expected the first and one after each; correct its `nve`")
    return judged(name, tolerance, golden, answers, drift_of(total) / len(golden[0].atoms))


def judged(name: str, tolerance: Tolerance, golden: Sequence[Golden], answers: Sequence[Answer], drift: float) -> Verification:
    """What these answers, of an engine called `name`, and the drift of its dynamics (eV/atom/ps) are worth."""
    largest, problems = {"energy": 0.0, "forces": 0.0, "stress": 0.0}, []
    for number, (frame, answer) in enumerate(zip(golden, answers, strict=True)):
        for deviation in deviations(frame, answer):
            largest[deviation.what] = float(np.maximum(largest[deviation.what], deviation.size))  # keeps NaN
            allowed = getattr(tolerance, deviation.what)
            if not deviation.size <= allowed:
                problems.append(f"{name}, frame {number}{deviation.sentence}; tolerance {allowed:.1e} {UNITS[deviation.what]}")
    if not abs(drift) <= tolerance.drift:
        problems.append(f"{name}, frame 0: the total energy drifts by {drift:.1e} eV/atom/ps, expected {tolerance.drift:.1e} at most")
    return Verification(**largest, drift=float(drift), problems=tuple(problems))


@dataclass(frozen=True)
class Deviation:
    """How far an answer is from its frame: `what` by `size`, and where, in words."""

    what: str
    size: float
    sentence: str


def deviations(frame: Golden, answer: Answer) -> list[Deviation]:
    """Of energy, forces and stress, each where it is largest; NaN counts as largest."""
    off = abs(answer.energy - frame.energy) / len(frame.atoms)
    found = [Deviation("energy", off, f": found energy {answer.energy:.6f} eV, expected {frame.energy:.6f} eV")]
    off = np.abs(_of_shape(frame.forces, answer.forces) - frame.forces)
    atom = int(off.max(axis=1).argmax())
    forces = ", ".join(f"{x:.6f}" for x in answer.forces[atom]), ", ".join(f"{x:.6f}" for x in frame.forces[atom])
    where = f", atom {atom} ({frame.atoms.symbols[atom]})"
    found.append(Deviation("forces", float(off.max()), f"{where}: found force ({forces[0]}) eV/Å, expected ({forces[1]}) eV/Å"))
    if frame.stress is not None:
        stress = _of_shape(frame.stress, answer.stress)
        off = np.abs(stress - frame.stress)
        a, b = np.unravel_index(off.argmax(), (3, 3))
        sentence = f": found stress {'xyz'[a]}{'xyz'[b]} {stress[a, b]:.8f} eV/Å³, expected {frame.stress[a, b]:.8f} eV/Å³"
        found.append(Deviation("stress", float(off.max()), sentence))
    return found


def _of_shape(expected: np.ndarray, found: np.ndarray | None) -> np.ndarray:
    if np.shape(found) != expected.shape:
        raise ValueError(f"the engine answered an array of shape {np.shape(found)}, expected {expected.shape}; correct its `answers`")
    return found


def at_temperature(atoms: Atoms, temperature: float, seed: int = 0) -> Atoms:
    """A copy with velocities drawn at a temperature (K), its centre of mass at rest; the same seed draws the same."""
    moving = atoms.copy()
    width = np.sqrt(temperature * units.kB * moving.get_masses())[:, None]
    momenta = width * np.random.default_rng(seed).normal(size=(len(moving), 3))
    share = moving.get_masses()[:, None] / moving.get_masses().sum()
    moving.set_momenta(momenta - share * momenta.sum(0))
    return moving


def drift_of(total: np.ndarray, timestep: float = TIMESTEP) -> float:
    """Slope of a straight line through total energies (n_steps + 1,), eV, at each step of `timestep` fs: eV/ps."""
    return float(np.polyfit(1e-3 * timestep * np.arange(len(total)), total - total[0], 1)[0])
