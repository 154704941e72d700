"""Do forces and energies come in units that fit each other? Neighbouring frames answer: ΔE against −Σ F̄·Δr."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlff.data.close_pairs import candidates, close_pairs
from mlff.data.displacements import trajectories, work_between
from mlff.data.frame import Frame
from mlff.units import BOHR, HARTREE, HARTREE_PER_BOHR, KCAL_PER_MOL

log = logging.getLogger(__name__)

MAX_DISPLACEMENT = 0.25  # Å per atom; further apart the trapezoid rule no longer holds in a hopping crystal
MIN_PAIRS = 5
MIN_CORRELATION = 0.8  # below it the pairs do not measure a slope
TOLERANCE = 1.5  # finds ångström against bohr (1.89); sound data lie within 0.85 to 1.15
FORCE_RANGE = (0.01, 30.0)  # eV/Å, root mean square of a set of thermal or perturbed frames
N_PAIRS = 24  # per trajectory
N_DISTANCES = 4e7  # of atoms, shared by all trajectories: a few seconds where no two frames lie close

# found ΔE / −ΣF̄·Δr, and what makes it so
KNOWN_RATIOS = (
    (HARTREE_PER_BOHR, "forces in Hartree/bohr beside energies in eV"),
    (1 / HARTREE, "energies in Hartree beside forces in eV/Å"),
    (1 / BOHR, "energies in Hartree beside forces in Hartree/bohr, or positions in bohr"),
    (1 / KCAL_PER_MOL, "energies in kcal/mol beside forces in eV/Å"),
    (KCAL_PER_MOL, "forces in kcal/(mol Å) beside energies in eV"),
    (0.01, "forces 100 times too large"),
    (100.0, "forces 100 times too small"),
    (1e3, "energies in meV beside forces in eV/Å"),
    (1e-3, "forces in meV/Å beside energies in eV"),
)


@dataclass(frozen=True)
class UnitsVerdict:
    """ratio: of energy differences to what the forces predict (1 when the units fit); None where no frames lie close enough.

    ok: False when the ratio is measured and wrong. message: one sentence; where: the worst trajectory.
    """

    ok: bool
    ratio: float | None
    n_pairs: int
    message: str


def units_verdict(frames: Sequence[Frame]) -> UnitsVerdict:
    """Measure the ratio in every trajectory that has frames close to each other; the worst one decides.

    Without such frames only the size of the forces is judged, and the verdict stays ok with a doubt in its message.
    """
    measured = [(slope, n, where) for where, slope, n in _ratios(frames)]
    n_pairs = sum(n for _, n, _ in measured)
    if measured:
        slope, n, where = max(measured, key=lambda one: one[0].doubt)
        ratio = slope.ratio
        if slope.doubt < 0:
            return UnitsVerdict(
                True, ratio, n_pairs, f"energies and forces fit each other (ΔE / −ΣF·Δr = {ratio:.3g} from {n_pairs} pairs)"
            )
        return UnitsVerdict(
            False,
            ratio,
            n_pairs,
            f"{where}: energy differences are {ratio:.3g} times what the forces predict "
            f"(−ΣF·Δr over {n} pairs of close frames), expected 1; {_cause(ratio)}",
        )
    forces = [frame.forces for frame in frames if frame.forces is not None and len(frame) > 1]
    if not forces:
        return UnitsVerdict(True, None, 0, "no forces to check against the energies")
    rms = float(np.sqrt(np.square(np.concatenate(forces)).mean()))
    if not FORCE_RANGE[0] < rms < FORCE_RANGE[1]:
        return UnitsVerdict(
            False,
            None,
            0,
            f"{frames[0].source}: the root mean square force is {rms:.3g} eV/Å, expected {FORCE_RANGE[0]:g} to {FORCE_RANGE[1]:g}; "
            "the unit is probably not eV/Å: convert the forces",
        )
    return UnitsVerdict(
        True,
        None,
        0,
        f"too few frames lie close to each other to compare energies with forces; the size of the forces ({rms:.3g} eV/Å) is plausible",
    )


def suspect_units(frames: Sequence[Frame]) -> UnitsVerdict:
    """The verdict, or an error when it is bad.

    Raises:
        ValueError: forces and energies do not fit each other, or forces of an implausible size; names found, expected and remedy.
    """
    verdict = units_verdict(frames)
    if not verdict.ok:
        raise ValueError(verdict.message)
    log.info("units: %s", verdict.message)
    return verdict


def _ratios(frames: Sequence[Frame]):
    """(where, ratio, pairs) of each trajectory that has enough close pairs, and of those together that have fewer."""
    groups = _comparable(frames)
    rest: list[np.ndarray] = []
    sources: set[str] = set()
    for (source, _, _), members in groups.items():
        chosen = [frames[k] for k in candidates(frames, members)]
        if len(chosen) < 2:
            continue
        works = _works(chosen, close_pairs(chosen, MAX_DISPLACEMENT, N_PAIRS, N_DISTANCES / len(groups)))
        if len(works) < MIN_PAIRS:
            rest.append(works)
            sources.add(source)
        elif (ratio := _slope(works)) is not None:
            yield source, ratio, len(works)
    together = np.concatenate([np.zeros((0, 2)), *rest])
    if len(together) >= MIN_PAIRS and (ratio := _slope(together)) is not None:
        yield (sources.pop() if len(sources) == 1 else f"{len(sources)} files together"), ratio, len(together)


def _comparable(frames: Sequence[Frame]) -> dict[tuple[str, str, bytes], list[int]]:
    """Labelled frames of one trajectory and the same atoms in order → their positions in `frames`, in order of time."""
    groups: dict[tuple[str, str, bytes], list[int]] = defaultdict(list)
    for (source, trajectory), members in trajectories(frames).items():
        for k in members:
            frame = frames[k]
            if frame.energy is not None and frame.forces is not None and len(frame) > 1:
                groups[source, trajectory, frame.numbers.tobytes() + frame.pbc.tobytes()].append(k)
    return groups


def _works(frames: Sequence[Frame], pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Predicted and found energy differences, (n_pairs, 2), eV."""
    works = [(work_between(frames[i], frames[j]), frames[j].energy - frames[i].energy) for i, j in pairs]
    return np.array([pair for pair in works if pair[0] is not None]).reshape(-1, 2)


@dataclass(frozen=True)
class _Slope:
    """ratio: found over predicted. scatter: its standard error, relative: few pairs that lie far apart measure it badly."""

    ratio: float
    scatter: float

    @property
    def doubt(self) -> float:
        """How far the ratio is from 1 beyond what may be, on a logarithmic scale; negative where the units fit."""
        return abs(np.log(abs(self.ratio))) - np.log(TOLERANCE) - 2 * self.scatter + (10.0 if self.ratio < 0 else 0.0)


def _slope(works: np.ndarray) -> _Slope | None:
    """Found over predicted; None where the two do not follow each other, so that there is no slope."""
    predicted, found = works.T
    sizes = np.sqrt(predicted @ predicted), np.sqrt(found @ found)
    if min(sizes) == 0 or abs(predicted @ found) < MIN_CORRELATION * sizes[0] * sizes[1]:
        return None
    correlation = abs(predicted @ found) / (sizes[0] * sizes[1])
    scatter = np.sqrt(max(1 / correlation**2 - 1, 0) / (len(works) - 1))
    return _Slope(float(np.sign(predicted @ found) * sizes[1] / sizes[0]), float(scatter))


def _cause(ratio: float) -> str:
    if ratio < 0:
        return "the forces have the wrong sign (gradients were written?): negate them"
    value, cause = min(KNOWN_RATIOS, key=lambda known: abs(np.log(known[0] / ratio)))
    looks = f"this looks like {cause}" if abs(np.log(value / ratio)) < 0.3 else "the units of energies and forces do not fit"
    return f"{looks}: convert to eV and eV/Å"
